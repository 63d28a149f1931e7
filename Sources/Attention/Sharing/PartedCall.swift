/// One call whose parts are computed apart: past and new keys are put together first, and results go where the caller wants them.
struct PartedCall: Sendable {
    /// A part that is computed, with its results in memory of its own.
    typealias Computed = (part: ProblemPart, outputs: AttentionOutputs)

    let problem: AttentionProblem
    let inputs: AttentionInputs
    private let outputs: AttentionOutputs

    /// - Parameter withoutBlocks: Keys and values come out of their blocks, as ranges of keys need them.
    init(
        _ problem: AttentionProblem, _ inputs: AttentionInputs, _ outputs: AttentionOutputs, withoutBlocks: Bool
    ) throws(AttentionError) {
        for part in try PresentPart.all(problem, inputs, outputs) { try part.present.writeBytes(of: part.source) }
        let (joined, operands, results) = problem.afterJoining(inputs, outputs)
        self.outputs = results
        guard withoutBlocks else {
            (self.problem, self.inputs) = (joined, operands)
            return
        }
        (self.problem, self.inputs) = try AttentionInputs.withoutBlocks(joined, operands)
    }

    /// `part` as a call of its own, and new memory for its results. Nobody else writes there: what a device that was given up does
    /// to it harms nothing.
    func part(
        _ part: ProblemPart
    ) throws(AttentionError) -> (AttentionProblem, AttentionInputs, AttentionOutputs) {
        let (problem, inputs) = try problem.part(part, of: inputs)
        let outputs = try problem.makeOutputs(for: inputs) { (bytes) throws(AttentionError) in
            try HostStorage(byteCount: bytes)
        }
        return (problem, inputs, outputs)
    }

    /// Brings the results of parts to the caller's tensors, and joins those that differ in their keys alone.
    func deliver(_ computed: [Computed]) throws(AttentionError) {
        var rest = computed[...]
        while let first = rest.first {
            let together = rest.filter { $0.part.sharesResults(with: first.part) }
            rest = rest.filter { !$0.part.sharesResults(with: first.part) }[...]
            let target = try targets(first.part)
            if problem.isPartial(first.part) {
                let heads = problem.queryHeads(first.part)
                let sinks = problem.sinks.isEmpty ? [] : Array(problem.sinks[heads])
                try KeyJoin(together.map(\.outputs), sinks: sinks).write(to: target)
            } else {
                try target.output.writeBytes(of: first.outputs.output)
                if let scores = first.outputs.scores { try target.scores?.writeBytes(of: scores) }
                if let logSumExp = first.outputs.logSumExp { try target.logSumExp?.writeBytes(of: logSumExp) }
            }
        }
    }

    /// Where the results of `part` belong.
    private func targets(_ part: ProblemPart) throws(AttentionError) -> AttentionOutputs {
        let heads = problem.queryHeads(part)
        func cut(_ tensor: Tensor) throws(AttentionError) -> Tensor {
            try tensor.sliced(axis: 0, part.batch).sliced(axis: 1, heads).sliced(axis: 2, part.rows)
        }
        var targets = AttentionOutputs(
            output: try cut(try outputs.output.splitIntoHeads(problem.shape.queryHeads)))
        if let logSumExp = outputs.logSumExp { targets.logSumExp = try cut(logSumExp) }
        if let scores = outputs.scores { targets.scores = try cut(scores) }
        return targets
    }
}
