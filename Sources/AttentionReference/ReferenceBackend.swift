import AttentionCore

/// The definition of attention as a backend: plain loops in `Double`, results rounded once.
///
/// Takes every type and shape, `float64` too. It is not made to be fast.
public struct ReferenceBackend: Backend {
    public let device = DeviceDescription(
        selector: "reference", name: "reference (Double)", platform: "none", kind: .reference)

    public init() {}

    /// - Throws: ``AttentionError/unsupported(device:reason:)`` if the policy asks for a kernel or family by another name.
    public func plan(_ problem: AttentionProblem, _ policy: PlanPolicy) throws(AttentionError) -> any BackendPlan {
        for name in [policy.kernel, policy.family] {
            guard let name, name != "reference" else { continue }
            throw .unsupported(
                device: device.name, reason: "it has one kernel, 'reference', and '\(name)' was asked for")
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
        for (present, bytes) in try PresentBytes.expected(problem, inputs, outputs) { try present.write(bytes: bytes) }
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

/// Past and new keys and values as they must stand in the present tensors.
enum PresentBytes {
    /// The present tensors a call has, each with its bytes in row-major order.
    static func expected(
        _ problem: AttentionProblem, _ inputs: AttentionInputs, _ outputs: AttentionOutputs
    ) throws(AttentionError) -> [(Tensor, [UInt8])] {
        let s = problem.shape
        let fresh = [s.batch, s.keyValueHeads, s.keyLength - problem.pastLength]
        var all: [(Tensor, [UInt8])] = []
        if let present = outputs.presentKey, let past = inputs.pastKey {
            let new = try ReferenceOperands.view(inputs.key, problem.key, fresh + [s.headDimension])
            all.append((present, try joined(past, new)))
        }
        if let present = outputs.presentValue, let past = inputs.pastValue {
            let new = try ReferenceOperands.view(inputs.value, problem.value, fresh + [s.valueDimension])
            all.append((present, try joined(past, new)))
        }
        return all
    }

    /// The bytes of `[batch, head, row, column]` tensors, one after the other along the rows.
    private static func joined(_ past: Tensor, _ new: Tensor) throws(AttentionError) -> [UInt8] {
        let (first, second) = (try past.contiguousBytes(), try new.contiguousBytes())
        let runs = past.shape[0] * past.shape[1]
        guard runs > 0 else { return [] }
        let (firstLength, secondLength) = (first.count / runs, second.count / runs)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(first.count + second.count)
        for run in 0..<runs {
            bytes += first[run * firstLength..<(run + 1) * firstLength]
            bytes += second[run * secondLength..<(run + 1) * secondLength]
        }
        return bytes
    }
}
