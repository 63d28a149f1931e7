/// One call on its way through a device, and through the reference if the device fails.
struct AttentionCall {
    /// Where results go.
    enum Target {
        /// New memory of the device's, or of the host's.
        case new(onDevice: Bool)
        /// The caller's tensor for the output, new memory for the rest.
        case output(Tensor, onDevice: Bool)
        /// Tensors of the caller's for everything.
        case all(AttentionOutputs)
    }

    let device: Device
    let inputs: AttentionInputs
    let options: AttentionOptions
    let problem: AttentionProblem
    let target: Target
    let policy: PlanPolicy
    let fallback: FallbackPolicy
    let control: RunControl

    /// Computes with the plan that `makePlan` gives.
    func perform(
        _ makePlan: () throws(AttentionError) -> any BackendPlan
    ) throws(AttentionError) -> AttentionResult {
        let start = ContinuousClock.now
        try control.check()
        try inputs.refusePlaceholders()
        try checkTarget()
        if problem.isEmpty { return try finishEmpty(since: start) }
        do throws(AttentionError) {
            let outputs = try makeOutputs()
            let report = try makePlan().run(problem, inputs, outputs, control)
            for note in report.notes { device.logger.notice("\(note)") }
            return AttentionResult(outputs, device.description, report, since: start)
        } catch {
            try control.check()
            guard fallback.covers(error, policy), device.description.kind != .reference else { throw error }
            device.logger.notice(
                "finishing the call on \(device.lastResort.device.name)",
                metadata: ["device": "\(device.description.name)", "reason": "\(error)"])
            return try performOnLastResort(after: error, since: start)
        }
    }

    /// The call once more, in host memory. If that fails too, the first error is the one worth telling.
    private func performOnLastResort(
        after first: AttentionError, since start: ContinuousClock.Instant
    ) throws(AttentionError) -> AttentionResult {
        let backend = device.lastResort
        do throws(AttentionError) {
            let inputs = try self.inputs.onHost()
            let problem = try AttentionProblem(inputs, options)
            let targets = try hostOutputs(problem, inputs)
            let report = try backend.plan(problem, PlanPolicy()).run(problem, inputs, targets, control)
            let outputs = try givenOutputs(filledFrom: targets)
            return AttentionResult(
                outputs, backend.device, report, [Fallback(from: device.description.name, reason: "\(first)")],
                since: start)
        } catch .cancelled {
            throw .cancelled
        } catch {
            device.logger.notice("\(backend.device.name) could not finish the call either: \(error)")
            throw first
        }
    }
}
