import AttentionCore
import KernelCalls

/// A way to compute a call with native kernels, once past and new keys are put together.
protocol NativeKernels: Sendable {
    /// The name that a policy takes.
    static var name: String { get }
    /// Choices with their reasons, one a line.
    func choices(_ problem: AttentionProblem) -> [String]
    /// Memory that a call takes besides what each thread works in, in bytes.
    func scratchBytes(_ problem: AttentionProblem) -> Int
    /// True if keys and values may lie in blocks.
    static var readsBlocks: Bool { get }
    /// Computes one call.
    func run(
        _ problem: AttentionProblem, _ inputs: AttentionInputs, _ outputs: AttentionOutputs, _ control: RunControl
    ) throws(AttentionError)
}

/// Native kernels, with the past and new keys put together before them and the scores that a call asks for beside them.
final class NativePlan<Kernels: NativeKernels>: BackendPlan {
    let explanation: PlanExplanation
    private let kernels: Kernels
    private let scores: NativeStaged?

    init(
        _ kernels: Kernels, _ scores: NativeStaged?, _ problem: AttentionProblem, _ backend: NativeBackend,
        _ refusals: [String]
    ) {
        self.kernels = kernels
        self.scores = scores
        var choices = kernels.choices(problem)
        if scores != nil { choices.append("scores, which are asked for, come from the staged kernels") }
        choices.append("instructions: \(backend.instructionSet.rawValue), at most \(backend.threads) thread(s)")
        if !NativeBackend.isOptimised {
            choices.append("this build is not optimised: its kernels are some fifty times slower than in release")
        }
        explanation = PlanExplanation(
            kernel: Kernels.name, choices: choices, refusals: refusals,
            scratchBytes: max(kernels.scratchBytes(problem), scores?.scratchBytes(problem) ?? 0))
    }

    func run(
        _ problem: AttentionProblem, _ inputs: AttentionInputs, _ outputs: AttentionOutputs, _ control: RunControl
    ) throws(AttentionError) -> RunReport {
        try control.check()
        let clock = ContinuousClock()
        let start = control.isProfiled ? clock.now : nil
        var (problem, inputs) = try AttentionInputs.withSinglePrecisionMask(problem, inputs)
        var outputs = outputs
        if problem.hasPast {
            try joinPresent(problem, inputs, outputs)
            (problem, inputs, outputs) = problem.afterJoining(inputs, outputs)
        }
        if let scores {
            let (gathered, gatheredInputs) = try AttentionInputs.withoutBlocks(problem, inputs)
            try scores.run(gathered, gatheredInputs, outputs, control)
        }
        if !Kernels.readsBlocks { (problem, inputs) = try AttentionInputs.withoutBlocks(problem, inputs) }
        try kernels.run(problem, inputs, outputs, control)
        let time = start.map { clock.now - $0 }
        return RunReport(
            kernel: Kernels.name, build: .native,
            scratchBytes: max(kernels.scratchBytes(problem), scores?.scratchBytes(problem) ?? 0),
            kernelNanoseconds: time.map { UInt64($0 / .nanoseconds(1)) })
    }

    /// The past rows and the new ones, bit for bit.
    private func joinPresent(
        _ problem: AttentionProblem, _ inputs: AttentionInputs, _ outputs: AttentionOutputs
    ) throws(AttentionError) {
        for part in try PresentPart.all(problem, inputs, outputs) { try part.present.writeBytes(of: part.source) }
    }
}
