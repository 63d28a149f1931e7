/// How one gate went for one tensor.
public struct Finding: Sendable, Hashable, CustomStringConvertible {
    /// `output`, `logSumExp`, `scores`, `presentKey` or `presentValue`.
    public let tensor: String
    /// G0 G1 G2 G3 G4 F1 F2 E L S or bits, as ``Contract`` lists them.
    public let gate: String
    /// The largest error over what is allowed: the gate is passed up to 1. Either 0 or ∞ for the gates that want equality. For G3 the share of
    /// elements that are not correctly rounded over the share allowed, for G4 the RMS over the RMS allowed.
    public let ratio: Double
    /// Where the worst element is, what it is and what it should be.
    public let detail: String

    public init(tensor: String, gate: String, ratio: Double, detail: String) {
        self.tensor = tensor
        self.gate = gate
        self.ratio = ratio
        self.detail = detail
    }

    public var description: String { "\(tensor) \(gate): \(ratio) of what is allowed; \(detail)" }
}

/// The largest ratios met, gate by gate, whether they pass or not.
public struct GateRatios: Hashable, Sendable {
    public private(set) var largest: [String: Double] = [:]

    public init() {}

    public mutating func note(_ gate: String, _ ratio: Double) { largest[gate] = max(largest[gate] ?? 0, ratio) }

    public mutating func merge(_ other: GateRatios) { for (gate, ratio) in other.largest { note(gate, ratio) } }
}
