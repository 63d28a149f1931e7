/// One call on its way through a device, and through those that follow if the device fails.
struct AttentionCall: Sendable {
    /// Where results go.
    enum Target: Sendable {
        /// New memory of the device's, or of the host's.
        case new(onDevice: Bool)
        /// The caller's tensor for the output, new memory for the rest.
        case output(Tensor, onDevice: Bool)
        /// Tensors of the caller's for everything.
        case all(AttentionOutputs)
    }

    /// What a device has computed, in the caller's tensors or in others that stand in for them.
    private struct Computed {
        let outputs: AttentionOutputs
        let device: DeviceDescription
        let report: RunReport
        /// False while the caller's tensors wait for what stands in for them.
        var isDelivered = true
    }

    let device: Device
    let inputs: AttentionInputs
    let options: AttentionOptions
    let problem: AttentionProblem
    let target: Target
    let policy: PlanPolicy
    let fallback: FallbackPolicy
    let control: RunControl
    /// A plan of the device that fits the call already.
    var prepared: (any BackendPlan)?

    /// Computes, wherever that can be done.
    func perform() throws(AttentionError) -> AttentionResult {
        let start = ContinuousClock.now
        try control.check()
        try inputs.refusePlaceholders()
        try checkTarget()
        if problem.isEmpty { return try finishEmpty(since: start) }
        var walk = FallbackWalk(device, fallback, policy, control)
        var host: AttentionInputs?
        let answer = try walk.run(success: .worked) { () throws(AttentionError) in
            try onDevice()
        } prepare: { () throws(AttentionError) in
            host = try inputsOnHost()
        } next: { (standby) throws(AttentionError) in
            try onStandby(standby, host ?? inputs)
        }
        var outputs = answer.outputs
        if !answer.isDelivered {
            do throws(AttentionError) { outputs = try delivered(outputs) } catch {
                // The caller's memory cannot be reached: what broke first is what broke it.
                try control.check()
                throw walk.firstError ?? error
            }
        }
        for note in answer.report.notes { device.logger.notice("\(note)") }
        let shares = sharesOfOthers(answer.report)
        return AttentionResult(outputs, answer.device, answer.report, walk.fallbacks + shares, since: start)
    }

    /// The devices of a group whose shares others computed, told as those are that a whole call passed by.
    private func sharesOfOthers(_ report: RunReport) -> [Fallback] {
        for failure in report.failures {
            device.logger.log(
                level: failure.isResting ? .debug : .notice, "others compute the share of a device",
                metadata: ["device": "\(failure.device)", "reason": "\(failure.reason)"])
        }
        return report.failures.map { Fallback(from: $0.device, reason: $0.reason) }
    }

    private func onDevice() throws(AttentionError) -> Computed {
        guard device.timeLimit != nil else { return try computed(makeOutputs(), control) }
        let made = try device.watched(control) { (control) throws(AttentionError) in
            try computed(standIns(onDevice: true), control)
        }
        return Computed(outputs: try delivered(made.outputs), device: made.device, report: made.report)
    }

    private func computed(
        _ outputs: AttentionOutputs, _ control: RunControl
    ) throws(AttentionError) -> Computed {
        let report = try plan().run(problem, inputs, outputs, control)
        return Computed(outputs: outputs, device: device.description, report: report)
    }

    private func plan() throws(AttentionError) -> any BackendPlan {
        if let prepared { return prepared }
        return try device.plan(problem, inputs.mask, policy)
    }

    private func onStandby(_ standby: Standby, _ inputs: AttentionInputs) throws(AttentionError) -> Computed {
        let backend = try device.open(standby, control)
        let problem = try AttentionProblem(inputs, options)
        let isWatched = device.timeLimit != nil && backend.device.kind.isDriver
        return try device.watched(backend.device, control) { (control) throws(AttentionError) in
            let outputs = try standIns(onDevice: false, takesHostMemory: !isWatched)
            let plan = try standby.plan(problem, inputs.mask, backend, policy)
            let report = try plan.run(problem, inputs, outputs, control)
            return Computed(outputs: outputs, device: backend.device, report: report, isDelivered: false)
        }
    }

    /// The operands where every device can read them; in a device's memory they are out of reach for others.
    private func inputsOnHost() throws(AttentionError) -> AttentionInputs {
        if inputs.isOnHost { return inputs }
        return try device.watched(control) { (_) throws(AttentionError) in try inputs.onHost() }
    }
}
