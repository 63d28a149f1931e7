/// A small call like one that is to be shared, to measure a device with.
struct SpeedProbe {
    /// A few milliseconds of a processor core.
    private static let mostWork = Double(1 << 26)
    /// Operands beyond this are not made for a measurement.
    private static let mostBytes = 256 << 20

    let problem: AttentionProblem
    let inputs: AttentionInputs

    /// - Returns: `nil` for a call without a row, or too large to be tried with other numbers.
    init?(_ whole: AttentionProblem) throws(AttentionError) {
        guard !whole.isEmpty else { return nil }
        let part = Self.part(whole)
        let shape = whole.part(part).shape
        let elements = shape.queryShape.reduce(1, *) + shape.keyShape.reduce(1, *) + shape.valueShape.reduce(1, *)
        guard elements <= Self.mostBytes / 4 else { return nil }
        inputs = try Self.inputs(whole.part(part))
        problem = try whole.part(part).viewing(inputs)
    }

    /// What its results are written to.
    func outputs() throws(AttentionError) -> AttentionOutputs {
        try problem.makeOutputs(for: inputs) { (bytes) throws(AttentionError) in try HostStorage(byteCount: bytes) }
    }

    /// As many heads, entries and rows as do for a measurement, but not so few rows that another kernel is taken.
    private static func part(_ whole: AttentionProblem) -> ProblemPart {
        var part = ProblemPart(whole.shape)
        while SpeedTable.work(whole.part(part)) > mostWork {
            if part.batch.count > 1 {
                part.batch = 0..<part.batch.count / 2
            } else if part.keyValueHeads.count > 1 {
                part.keyValueHeads = 0..<part.keyValueHeads.count / 2
            } else if part.rows.count >= 128 {
                // The last rows: with a causal mask, the first have less to do.
                part.rows = part.rows.upperBound - part.rows.count / 2..<part.rows.upperBound
            } else {
                break
            }
        }
        return part
    }

    /// Zeros, and a mask that excludes nothing.
    private static func inputs(_ problem: AttentionProblem) throws(AttentionError) -> AttentionInputs {
        let shape = problem.shape
        var inputs = AttentionInputs(
            query: try Tensor(zeros: shape.queryShape, elementType: problem.queryType),
            key: try Tensor(zeros: shape.keyShape, elementType: problem.queryType),
            value: try Tensor(zeros: shape.valueShape, elementType: problem.valueType))
        if let view = problem.mask, let type = problem.maskType {
            let mask = try Tensor(
                zeros: [
                    view.batch == 0 ? 1 : shape.batch, view.head == 0 ? 1 : shape.queryHeads,
                    view.row == 0 ? 1 : shape.queryLength, problem.maskKeys,
                ], elementType: type)
            if type == .bool { _ = mask.withHostBytes { $0.initializeMemory(as: UInt8.self, repeating: 1) } }
            inputs.mask.tensor = mask
        }
        return inputs
    }
}
