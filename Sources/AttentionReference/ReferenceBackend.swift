import AttentionCore

/// The definition of attention as a backend: plain loops in `Double`, results rounded once.
///
/// Takes every type and shape, `float64` too. It is not made to be fast.
public struct ReferenceBackend: Backend {
    public let device = DeviceDescription(
        selector: "reference", name: "reference (Double)", platform: "none", kind: .reference)

    public init() {}

    /// - Throws: ``AttentionError/unsupported(device:reason:)`` if the policy asks for a kernel or family by another name, or for
    ///   ``Precision/fast``.
    public func plan(_ problem: AttentionProblem, _ policy: PlanPolicy) throws(AttentionError) -> any BackendPlan {
        for name in [policy.kernel, policy.family] {
            guard let name, name != "reference" else { continue }
            throw .unsupported(
                device: device.name, reason: "it has one kernel, 'reference', and '\(name)' was asked for")
        }
        guard policy.precision == .standard else {
            throw .unsupported(device: device.name, reason: "precision fast: it computes in Double alone")
        }
        return ReferencePlan(problem)
    }

    public func makeStorage(byteCount: Int) throws(AttentionError) -> any TensorStorage {
        try HostStorage(byteCount: byteCount)
    }
}

/// The only way the reference computes anything.
struct ReferencePlan: BackendPlan {
    let explanation: PlanExplanation

    init(_ problem: AttentionProblem) {
        explanation = PlanExplanation(
            kernel: "reference",
            choices: [
                "plain loops in Double: the definition, not optimised for speed",
                "results are rounded once, to the output's type",
            ],
            scratchBytes: Self.scratchBytes(problem))
    }

    func run(
        _ problem: AttentionProblem, _ inputs: AttentionInputs, _ outputs: AttentionOutputs, _ control: RunControl
    ) throws(AttentionError) -> RunReport {
        try problem.check(outputs, for: inputs)
        let result = try Reference.evaluate(problem, inputs, control: control, withBounds: false)
        let shape = problem.shape
        let output = try ReferenceOperands.view(
            outputs.output, problem.outputView(outputs.output),
            [shape.batch, shape.queryHeads, shape.queryLength, shape.valueDimension])
        try output.write(result.output)
        try outputs.logSumExp?.write(result.logSumExp)
        if let scores = result.scores { try outputs.scores?.write(scores) }
        for part in try PresentPart.all(problem, inputs, outputs) { try part.present.writeBytes(of: part.source) }
        return RunReport(kernel: "reference", build: .native, scratchBytes: Self.scratchBytes(problem))
    }

    /// The operands and results as `Double`; scores only where asked for.
    private static func scratchBytes(_ problem: AttentionProblem) -> Int {
        let s = problem.shape
        let rows = s.batch &* s.queryHeads &* s.queryLength
        let keys = s.batch &* s.keyValueHeads &* s.keyLength
        let numbers =
            rows &* (s.headDimension &+ s.valueDimension &+ 1) &+ keys &* (s.headDimension &+ s.valueDimension)
            &+ (problem.scores == nil ? 0 : 2 &* rows &* s.keyLength)
        return numbers &* 8
    }
}
