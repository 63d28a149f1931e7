import AttentionCore

/// The definition of attention as a backend: plain loops in `Double`, results rounded once.
///
/// It is there to be compared with, and for machines that have nothing else: a core does about half a million attended pairs of
/// 64 dimensions in a tenth of a second.
public struct ReferenceBackend: Backend {
    public let device = DeviceDescription(
        selector: "reference", name: "reference (Double)", platform: "none", kind: .reference)

    public init() {}

    public func plan(_ problem: AttentionProblem, _ policy: PlanPolicy) throws(AttentionError) -> any BackendPlan {
        if let kernel = policy.kernel, kernel != "reference" {
            throw .unsupported(device: device.name, reason: "it has no kernel '\(kernel)'")
        }
        return ReferencePlan()
    }

    public func makeStorage(byteCount: Int) throws(AttentionError) -> any TensorStorage {
        try HostStorage(byteCount: byteCount)
    }
}

private struct ReferencePlan: BackendPlan {
    var explanation: PlanExplanation {
        PlanExplanation(
            kernel: "reference",
            choices: ["plain loops in Double, one row after the other: to compare with, not for speed"])
    }

    func run(
        _ problem: AttentionProblem, _ inputs: AttentionInputs, _ outputs: AttentionOutputs, _ control: RunControl
    ) throws(AttentionError) -> RunReport {
        try control.check()
        let result = try Reference.evaluate(problem, inputs) { () throws(AttentionError) in try control.check() }
        try outputs.output.splitIntoHeads(problem.shape.queryHeads).write(result.output)
        try outputs.logSumExp?.write(result.logSumExp)
        try outputs.scores?.write(result.scores)
        for (present, past, fresh) in [
            (outputs.presentKey, inputs.pastKey, inputs.key), (outputs.presentValue, inputs.pastValue, inputs.value),
        ] {
            guard let present, let past else { continue }
            try present.sliced(axis: 2, 0..<past.shape[2]).writeBytes(of: past)
            try present.sliced(axis: 2, past.shape[2]..<present.shape[2])
                .writeBytes(of: try fresh.splitIntoHeads(present.shape[1]))
        }
        return RunReport(kernel: "reference", build: .native, scratchBytes: 0)
    }
}
