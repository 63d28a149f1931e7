/// A call on a device of limited memory: as it is where it fits, else in pieces one after another, by the means that share a call
/// among several devices.
///
/// Whether a call fits depends on its strides and on the memory around its operands, which a plan does not know: each run looks.
final class FittingPlan: BackendPlan {
    let explanation: PlanExplanation
    private let backend: any Backend
    private let policy: PlanPolicy
    private let limit: MemoryLimit
    /// `nil` for a call that never fits.
    private let whole: (any BackendPlan)?
    private let plans: PlanCache

    init(
        _ problem: AttentionProblem, _ policy: PlanPolicy, _ backend: any Backend, _ limit: MemoryLimit
    ) throws(AttentionError) {
        self.backend = backend
        self.policy = policy
        self.limit = limit
        let plans = PlanCache()
        self.plans = plans
        let cutter = PieceCutter(problem: problem, limit: limit)
        switch cutter.pieces() {
        case .pieces(let pieces) where pieces.count > 1:
            whole = nil
            explanation = try Self.explained(pieces, cutter, backend) { (part) throws(AttentionError) in
                try Self.plan(part, policy, backend, plans)
            }
        case .pieces:
            let plan = try backend.plan(problem, policy)
            (whole, explanation) = (plan, plan.explanation)
        case .refused(let reason):
            let plan = try backend.plan(problem, policy)
            var told = plan.explanation
            told.refusals.append(reason)
            (whole, explanation) = (plan, told)
        }
    }

    func run(
        _ problem: AttentionProblem, _ inputs: AttentionInputs, _ outputs: AttentionOutputs, _ control: RunControl
    ) throws(AttentionError) -> RunReport {
        let bytes = limit.allocation
        if let whole, inputs.fits(bytes), outputs.fits(bytes) {
            return try whole.run(problem, inputs, outputs, control)
        }
        guard case .pieces(let pieces) = PieceCutter(problem: problem, limit: limit).pieces() else {
            // It cannot be cut: the device says what it thinks of it.
            guard let whole else { throw .outOfMemory(bytes: bytes, device: backend.device.name) }
            return try whole.run(problem, inputs, outputs, control)
        }
        let cutsKeys = pieces.contains { problem.isPartial($0) }
        let call = try PartedCall(
            problem, inputs, outputs, withoutBlocks: cutsKeys || !inputs.poolsFit(bytes))
        return try run(pieces, call, control)
    }

    private func run(
        _ pieces: [ProblemPart], _ call: PartedCall, _ control: RunControl
    ) throws(AttentionError) -> RunReport {
        var reports: [RunReport] = []
        var together: [PartedCall.Computed] = []
        for piece in pieces {
            try control.check()
            if let last = together.last, !piece.sharesResults(with: last.part) {
                try call.deliver(together)
                together = []
            }
            let (problem, operands, outputs) = try call.part(piece)
            let inputs = try operands.fitted(limit.allocation)
            let plan = try Self.plan(problem, policy, backend, plans)
            reports.append(try plan.run(try problem.viewing(inputs), inputs, outputs, control))
            together.append((piece, outputs))
        }
        try call.deliver(together)
        return Self.report(reports)
    }

    private static func plan(
        _ part: AttentionProblem, _ policy: PlanPolicy, _ backend: any Backend, _ plans: PlanCache
    ) throws(AttentionError) -> any BackendPlan {
        try plans.plan(part: part, policy) { () throws(AttentionError) in try backend.plan(part, policy) }
    }

    private static func explained(
        _ pieces: [ProblemPart], _ cutter: PieceCutter, _ backend: any Backend,
        _ plan: (AttentionProblem) throws(AttentionError) -> any BackendPlan
    ) throws(AttentionError) -> PlanExplanation {
        var found: [PlanExplanation] = []
        for piece in pieces { found.append(try plan(cutter.problem.part(piece)).explanation) }
        let shape = cutter.problem.shape
        var cuts: [String] = []
        for (name, path) in [
            ("batch entries", \ProblemPart.batch), ("key heads", \.keyValueHeads), ("queries", \.rows),
            ("keys", \.keys),
        ] where Set(pieces.map { $0[keyPath: path] }).count > 1 { cuts.append(name) }
        let reason = cutter.tooLarge(ProblemPart(shape)).map { "\($0.name) has \($0.bytes) bytes" } ?? ""
        var choices = [
            "\(pieces.count) pieces by \(cuts.joined(separator: " and ")), one after another: \(reason); "
                + "\(backend.device.name) has \(cutter.limit.allocation) at once and \(cutter.limit.total) in all"
        ]
        if cuts.contains("keys") { choices.append("parts of the keys are joined by their logSumExp, on the host") }
        return PlanExplanation(
            kernel: Division.kernels(found.map(\.kernel)), choices: choices + (found.first?.choices ?? []),
            refusals: found.first?.refusals ?? [], warnings: found.first?.warnings ?? [],
            scratchBytes: found.map(\.scratchBytes).max() ?? 0)
    }

    private static func report(_ reports: [RunReport]) -> RunReport {
        let times = reports.compactMap(\.kernelNanoseconds)
        var notes: [String] = []
        for note in reports.flatMap(\.notes) where !notes.contains(note) { notes.append(note) }
        let builds = reports.map(\.build)
        return RunReport(
            kernel: Division.kernels(reports.map(\.kernel)),
            build: builds.contains(.compiled) ? .compiled : builds.first ?? .native,
            scratchBytes: reports.map(\.scratchBytes).max() ?? 0,
            kernelNanoseconds: times.count == reports.count ? times.reduce(0, +) : nil, notes: notes)
    }
}
