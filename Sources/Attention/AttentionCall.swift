/// One call on its way through a device, and through the next ones if the device fails.
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

    /// Makes or finds the plan of the call's own device.
    typealias MakePlan = @Sendable () throws(AttentionError) -> any BackendPlan

    let device: Device
    let inputs: AttentionInputs
    let options: AttentionOptions
    let problem: AttentionProblem
    let target: Target
    let policy: PlanPolicy
    let fallback: FallbackPolicy
    let control: RunControl

    /// Computes with the plan that `makePlan` gives.
    func perform(_ makePlan: @escaping MakePlan) throws(AttentionError) -> AttentionResult {
        let start = ContinuousClock.now
        try control.check()
        try inputs.refusePlaceholders()
        try checkTarget()
        if problem.isEmpty { return try finishEmpty(since: start) }
        if fallback != .never, let rest = device.rest {
            let error = AttentionError.deviceFailed(device: device.description.name, detail: "\(rest)")
            do throws(AttentionError) {
                return try finishElsewhere(
                    after: error, Fallback(from: device.description.name, reason: "\(rest)"), since: start)
            } catch .cancelled {
                throw .cancelled
            } catch {
                // Nobody else could. A rest saves time; it must not cost the result.
            }
        }
        do throws(AttentionError) {
            let (outputs, report) = try performHere(makePlan)
            device.health.succeeded()
            for note in report.notes { device.logger.notice("\(note)") }
            return AttentionResult(outputs, device.description, report, since: start)
        } catch {
            try control.check()
            device.note(error)
            guard fallback.covers(error, policy) else { throw error }
            return try finishElsewhere(
                after: error, Fallback(from: device.description.name, reason: "\(error)"), since: start)
        }
    }

    private func performHere(
        _ makePlan: @escaping MakePlan
    ) throws(AttentionError) -> (AttentionOutputs, RunReport) {
        guard let limit = control.timeLimit else {
            let outputs = try makeOutputs()
            return (outputs, try makePlan().run(problem, inputs, outputs, control))
        }
        // Apart from the caller's tensors, which an abandoned kernel must not write to.
        let (fresh, report) = try TimeLimit.run(limit, control, device: device.description.name) {
            (inner) throws(AttentionError) in
            let fresh = try freshOutputs()
            return (fresh, try makePlan().run(problem, inputs, fresh, inner))
        }
        return (try givenOutputs(copiedFrom: fresh), report)
    }

    /// The call once more, in host memory, on the first of the next devices that can. If none can, the first error is the one worth
    /// telling.
    private func finishElsewhere(
        after first: AttentionError, _ reason: Fallback, since start: ContinuousClock.Instant
    ) throws(AttentionError) -> AttentionResult {
        var fallbacks = [reason]
        for preference in fallback.preferences(after: device.description.kind) {
            guard let other = opened(preference), other.description.selector != device.description.selector else {
                continue
            }
            if let rest = other.rest {
                fallbacks.append(Fallback(from: other.description.name, reason: "\(rest)"))
                continue
            }
            do throws(AttentionError) {
                device.logger.notice(
                    "finishing the call on \(other.description.name)",
                    metadata: ["device": "\(fallbacks.last?.from ?? "")", "reason": "\(fallbacks.last?.reason ?? "")"])
                let (outputs, report) = try perform(on: other)
                other.health.succeeded()
                return AttentionResult(outputs, other.description, report, fallbacks, since: start)
            } catch .cancelled {
                throw .cancelled
            } catch {
                other.note(error)
                device.logger.notice("\(other.description.name) could not finish the call either: \(error)")
                fallbacks.append(Fallback(from: other.description.name, reason: "\(error)"))
            }
        }
        throw first
    }

    private func opened(_ preference: DevicePreference) -> Device? {
        do throws(AttentionError) { return try device.chain.device(preference) } catch {
            device.logger.debug("'\(preference)' cannot finish the call: \(error)")
            return nil
        }
    }

    private func perform(on other: Device) throws(AttentionError) -> (AttentionOutputs, RunReport) {
        let host = try inputs.onHost()
        let problem = try AttentionProblem(host, options)
        let policy = PlanPolicy(workspaceLimit: policy.workspaceLimit)
        let work: @Sendable (RunControl) throws(AttentionError) -> (AttentionOutputs, RunReport) = {
            (control) throws(AttentionError) in
            let targets = control === self.control ? try hostOutputs(problem, host) : try freshOutputs(problem, host)
            let plan = try other.plans.plan(problem, host.mask, policy) { () throws(AttentionError) in
                try other.backend.plan(problem, policy)
            }
            return (targets, try plan.run(problem, host, targets, control))
        }
        guard let limit = control.timeLimit else {
            let (targets, report) = try work(control)
            return (try givenOutputs(filledFrom: targets), report)
        }
        let (fresh, report) = try TimeLimit.run(limit, control, device: other.description.name, work)
        return (try givenOutputs(copiedFrom: fresh), report)
    }
}
