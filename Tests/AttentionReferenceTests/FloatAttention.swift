import AttentionCore

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Attention in plain `Float`, a key at a time: what a correct single-precision kernel does, with nothing clever in it.
///
/// It decides exclusion by the words of the contract, pair by pair, and shares nothing with the reference but the checked problem.
struct FloatAttention {
    enum Arithmetic: CaseIterable {
        /// exp(s − m), values weighted and summed, divided at the end.
        case plain
        /// exp2((s − m) · log₂e).
        case base2
        /// Scores in units of log₂: the scale, the mask and the rest are multiplied by log₂e first.
        case scaledBase2
        /// One pass: the sums so far are rescaled when the maximum grows.
        case online
        /// As `plain`, and every number below 2⁻¹²⁶ is zero.
        case flushed
        /// As `plain`, with weights divided by their sum before they meet the values.
        case normalizedFirst
    }

    var arithmetic = Arithmetic.plain
    var fault: Fault?
    var products = HalfSum.Products.float

    func run(_ problem: AttentionProblem, _ inputs: AttentionInputs) throws -> AttentionOutputs {
        let outputs = try problem.makeOutputs(for: inputs) { bytes throws(AttentionError) in
            try HostStorage(byteCount: bytes)
        }
        var call = FloatCall(problem, try FloatOperands(problem, inputs), arithmetic, fault, products)
        call.compute()
        let s = problem.shape
        let view = problem.outputView(outputs.output)
        try outputs.output.viewed(
            shape: [s.batch, s.queryHeads, s.queryLength, s.valueDimension],
            strides: [view.batch, view.head, view.row, view.column], offset: view.offset
        ).write(call.output.map { call.stored($0, problem.queryType) })
        try outputs.logSumExp?.write(call.logSumExp.map { Double($0) })
        try outputs.scores?.write(call.scores.map { Double($0) })
        for (present, past, new) in [
            (outputs.presentKey, inputs.pastKey, inputs.key), (outputs.presentValue, inputs.pastValue, inputs.value),
        ] {
            guard let present, let past else { continue }
            let parts = fault == .presentSwapped ? [new, past] : [past, new]
            let middle = parts[0].shape[2]
            try present.sliced(axis: 2, 0..<middle).writeBytes(of: parts[0])
            try present.sliced(axis: 2, middle..<present.shape[2]).writeBytes(of: parts[1])
        }
        return outputs
    }
}

/// The operands as `[batch, head, row, column]` in row-major order, past and new keys together.
struct FloatOperands {
    let query, key, value: [Float]
    /// `[batch, queryHeads, queryLength, maskKeys]`; empty without a mask.
    let mask: [Float]
    let maskKeys: Int

    init(_ problem: AttentionProblem, _ inputs: AttentionInputs) throws {
        let s = problem.shape
        query = try inputs.query.splitIntoHeads(s.queryHeads).floats()
        key = try Self.joined(inputs.pastKey, inputs.key.splitIntoHeads(s.keyValueHeads), s.headDimension)
        value = try Self.joined(inputs.pastValue, inputs.value.splitIntoHeads(s.keyValueHeads), s.valueDimension)
        maskKeys = problem.maskKeys
        guard let tensor = inputs.mask.tensor else {
            mask = []
            return
        }
        // Broadcast by hand: missing axes in front, axes of size 1 repeated.
        let target = [s.batch, s.queryHeads, s.queryLength, maskKeys]
        let shape = Array(repeating: 1, count: 4 - tensor.rank) + tensor.shape
        let strides = Array(repeating: 0, count: 4 - tensor.rank) + tensor.strides
        let view = try tensor.viewed(
            shape: target, strides: (0..<4).map { shape[$0] == 1 ? 0 : strides[$0] }, offset: tensor.layout.offset)
        mask = try view.floats().map { tensor.elementType == .bool ? ($0 == 0 ? -.infinity : 0) : $0 }
    }

    private static func joined(_ past: Tensor?, _ new: Tensor, _ columns: Int) throws -> [Float] {
        guard let past else { return try new.floats() }
        let (a, b) = (try past.floats(), try new.floats())
        let (m, n) = (past.shape[2] * columns, new.shape[2] * columns)
        var all: [Float] = []
        for run in 0..<new.shape[0] * new.shape[1] {
            all += a[run * m..<(run + 1) * m]
            all += b[run * n..<(run + 1) * n]
        }
        return all
    }
}
