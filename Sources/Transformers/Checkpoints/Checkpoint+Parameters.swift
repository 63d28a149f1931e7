import AttentionCore

extension Checkpoint: ParameterSource {
    public func tensor(_ name: String, shape: [Int]) throws -> Tensor { try tensor(named: name, shape: shape) }
}

extension [ParameterShape] {
    /// What a checkpoint has to hold.
    var expected: [Checkpoint.Expected] { map { Checkpoint.Expected($0.name, $0.shape) } }
}
