import AttentionCore
import KernelCalls
import OpenCLRuntime

/// The staged rung: scores, softmax, weighted sum, each a kernel of its own with the scores in scratch memory between them.
final class StagedPlan: BackendPlan {
    let explanation: PlanExplanation
    let backend: OpenCLBackend
    let tiles: StagedTiles
    let programs: StagedPrograms
    private let policy: PlanPolicy
    private let onlyScores: Bool

    /// - Parameters:
    ///   - onlyScores: compute the scores that the caller asked for, and leave the output to another plan.
    ///   - refusals: the kernels that were passed over, with reasons.
    ///   - warnings: those that should not have been.
    init(
        _ problem: AttentionProblem, _ policy: PlanPolicy, _ backend: OpenCLBackend, onlyScores: Bool = false,
        refusals: [String] = [], warnings: [String] = []
    ) throws(AttentionError) {
        self.backend = backend
        self.policy = policy
        self.onlyScores = onlyScores
        tiles = StagedTiles.row(nativeWidth: try backend.width(policy))
        let longest = max(problem.shape.keyLength, problem.shape.headDimension)
        guard longest <= tiles.loopLimit else {
            throw .unsupported(
                device: backend.device.name,
                reason: "\(longest) keys or depths are more than the \(tiles.loopLimit) of its scalar kernels")
        }
        programs = try StagedPrograms(problem, policy, tiles, backend)
        let passes = StagedPass.passes(
            problem, tiles, limit: backend.scratchLimit(policy, tiles),
            onlyScores: onlyScores)
        let scratchBytes = passes.map(\.scratch.byteCount).max() ?? 0
        var choices = [
            "kernels: scores → softmax → weighted_sum, the scores in scratch memory",
            "lanes: \(tiles.lanes) queries to a vector, as the native float width of \(backend.profile.nativeWidth) has it",
            "tile: \(tiles.tileQ) queries × \(tiles.tileK) keys, \(tiles.tileV) value columns (\(tiles.measured))",
            "scratch: \(scratchBytes) bytes, \(passes.map(\.scratch.pieces.count).max() ?? 0) piece(s)",
        ]
        choices += programs.notes
        if policy.family != nil { choices.append("family: \(policy.family ?? "") as the caller asked") }
        explanation = PlanExplanation(
            kernel: "staged", choices: choices, refusals: refusals, warnings: warnings, scratchBytes: scratchBytes)
    }

    func run(
        _ problem: AttentionProblem, _ inputs: AttentionInputs, _ outputs: AttentionOutputs, _ control: RunControl
    ) throws(AttentionError) -> RunReport {
        try control.check()
        let passes = StagedPass.passes(
            problem, tiles, limit: backend.scratchLimit(policy, tiles),
            onlyScores: onlyScores)
        let (rounded, roundedInputs) = try AttentionInputs.withSinglePrecisionMask(problem, inputs)
        let (problem, inputs) = try AttentionInputs.withoutBlocks(rounded, roundedInputs)
        let nanoseconds = try backend.withCommands(isProfiled: control.isProfiled) {
            (commands) throws(AttentionError) in
            let run = try asAttentionError(backend.device.name) { () throws(OpenCLError) in
                StagedRun(
                    plan: self, call: try CallRun(backend, problem, inputs, outputs, commands), passes: passes)
            }
            try run.execute { () throws(AttentionError) in try control.check() }
        }
        return RunReport(
            kernel: "staged", build: programs.build, scratchBytes: passes.map(\.scratch.byteCount).max() ?? 0,
            kernelNanoseconds: nanoseconds, notes: programs.notes)
    }
}

/// The programs a plan needs, built or loaded when it is made.
struct StagedPrograms: Sendable {
    let scores: Program
    let softmax: Program
    let weightedSum: Program
    let scoreOutput: Program?
    let concatenation: (key: Program, value: Program)?
    let build: RunReport.Build
    /// What was wrong with the cache on disk.
    let notes: [String]

    init(
        _ problem: AttentionProblem, _ policy: PlanPolicy, _ tiles: StagedTiles, _ backend: OpenCLBackend
    ) throws(AttentionError) {
        let storages = try CallStorages(problem, backend.device)
        var collector = ProgramCollector(backend, for: problem, policy, kernel: "staged")
        func program(_ step: StagedKernel.Step) throws(AttentionError) -> Program {
            try collector.program(
                .staged(StagedKernel(step: step, tiles: tiles, hasShuffles: backend.profile.hasShuffles)))
        }
        let query = tiles.lanes > 1 ? nil : storages.query
        let value = tiles.lanes > 1 ? nil : storages.value
        scores = try program(.scores(query))
        softmax = try program(.softmax(hasMask: storages.hasMask))
        weightedSum = try program(.weightedSum(value: value, output: query))
        scoreOutput = problem.scores == nil ? nil : try program(.scoreOutput(query))
        concatenation = try collector.concatenation(problem)
        build = collector.build
        notes = collector.notes
    }
}
