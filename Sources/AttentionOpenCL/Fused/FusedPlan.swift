import AttentionCore
import KernelCalls
import OpenCLRuntime

/// The launches of a fused kernel: what `FusedPlan` puts the rest of a call around.
protocol FusedKernels: Sendable {
    /// The kernel's name, as a policy takes it.
    static var name: String { get }
    /// The tile sizes that a policy may give.
    static var space: TileSpace { get }

    /// Why it cannot compute `problem` on this device; `nil` if it can.
    static func refusal(
        _ problem: AttentionProblem, _ backend: OpenCLBackend, _ policy: PlanPolicy, width: Int
    ) -> String?

    /// Builds or loads the programs.
    init(
        _ problem: AttentionProblem, _ backend: OpenCLBackend, _ policy: PlanPolicy, width: Int,
        _ collector: inout ProgramCollector
    ) throws(AttentionError)

    /// Its tile sizes, by their names in the text.
    var sizes: [String: Int] { get }
    /// Choices with their reasons, one a line.
    func choices(_ problem: AttentionProblem) -> [String]
    /// Scratch memory of a call, in bytes.
    func scratchBytes(_ problem: AttentionProblem) -> Int
    /// Launches the kernels of one call.
    func launch(_ call: CallRun, scratch: Buffer?) throws(OpenCLError)
}

extension FusedKernels {
    /// That of the kernels with wide vectors, `width` floats each.
    static func refusal(
        _ problem: AttentionProblem, _ backend: OpenCLBackend, _ policy: PlanPolicy, width: Int
    ) -> String? {
        if let refusal = space.refusal(policy.tiles) { return "\(name): \(refusal)" }
        guard width >= 4 else { return "\(name): the native float width of \(width) is below 4" }
        return WideRoom.refusal(problem, kernel: name)
    }
}

/// One fused kernel, with the past and the new keys put together before it and the scores that a call asks for beside it.
final class FusedPlan<Kernels: FusedKernels>: BackendPlan {
    let explanation: PlanExplanation
    private let backend: OpenCLBackend
    private let kernels: Kernels
    private let concatenation: (key: Program, value: Program)?
    private let build: RunReport.Build
    private let notes: [String]
    /// Writes the scores that the caller asked for, which no fused kernel has.
    private let scores: StagedPlan?

    init(
        _ problem: AttentionProblem, _ policy: PlanPolicy, _ backend: OpenCLBackend, width: Int,
        refusals: [String] = [], warnings: [String] = [], choices further: [String] = []
    ) throws(AttentionError) {
        if let refusal = Kernels.refusal(problem, backend, policy, width: width) {
            throw .unsupported(device: backend.device.name, reason: refusal)
        }
        self.backend = backend
        var collector = ProgramCollector(backend, for: problem, policy, kernel: Kernels.name)
        kernels = try Kernels(problem, backend, policy, width: width, &collector)
        concatenation = try collector.concatenation(problem)
        build = collector.build
        notes = collector.notes
        scores = problem.scores == nil ? nil : try StagedPlan(problem, policy, backend, onlyScores: true)
        var choices = kernels.choices(problem) + further
        if scores != nil { choices.append("scores, which are asked for, come from the staged kernels") }
        if let family = policy.family { choices.append("family: \(family) as the caller asked") }
        explanation = PlanExplanation(
            kernel: Kernels.name, choices: choices + notes, refusals: refusals, warnings: warnings,
            sizes: kernels.sizes,
            scratchBytes: max(kernels.scratchBytes(problem), scores?.explanation.scratchBytes ?? 0))
    }

    func run(
        _ problem: AttentionProblem, _ inputs: AttentionInputs, _ outputs: AttentionOutputs, _ control: RunControl
    ) throws(AttentionError) -> RunReport {
        try control.check()
        var (problem, inputs) = try AttentionInputs.withSinglePrecisionMask(problem, inputs)
        var outputs = outputs
        var first: RunReport?
        if let scores {
            first = try scores.run(problem, inputs, outputs, control)
            // What is written already stays out of the rest: where results are copied back, they would be overwritten.
            outputs.scores = nil
            (problem, inputs, outputs) = problem.afterJoining(inputs, outputs)
        }
        let scratchBytes = kernels.scratchBytes(problem)
        let nanoseconds = try backend.withCommands(isProfiled: control.isProfiled) {
            (commands) throws(AttentionError) in
            try asAttentionError(backend.device.name) { () throws(OpenCLError) in
                let call = try CallRun(backend, problem, inputs, outputs, commands)
                let scratch = scratchBytes > 0 ? try commands.takeScratch(scratchBytes) : nil
                try call.concatenate(concatenation)
                try kernels.launch(call, scratch: scratch)
                try call.finish()
                // After an error it is released instead.
                if let scratch { commands.giveBack(scratch) }
            }
        }
        return RunReport(
            kernel: Kernels.name, build: build, scratchBytes: max(scratchBytes, first?.scratchBytes ?? 0),
            kernelNanoseconds: nanoseconds.map { $0 + (first?.kernelNanoseconds ?? 0) }, notes: notes)
    }
}
