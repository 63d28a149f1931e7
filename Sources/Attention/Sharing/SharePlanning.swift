/// Makes the shares of a call: measures devices that are not known yet, divides, and plans each part where it is computed.
struct SharePlanning {
    enum Outcome {
        case planned(Division)
        /// A device that could not plan or be measured.
        case failed(device: Int, AttentionError)
    }

    let group: SharingBackend
    let policy: PlanPolicy
    let problem: AttentionProblem

    /// - Parameters:
    ///   - devices: The places of those that are there, ascending.
    ///   - excluded: Who is not, and why, one a line.
    func division(_ devices: [Int], excluded: [String]) throws(AttentionError) -> Outcome {
        var speeds: [Double] = []
        if group.rule == .best && devices.count > 1 {
            let probe = try SpeedProbe(problem)
            for device in devices {
                let speed = try attempt(device) { () throws(AttentionError) in try measured(device, probe) }
                switch speed {
                case .success(let speed): speeds.append(speed)
                case .failure(let error): return .failed(device: device, error)
                }
            }
        } else {
            speeds = devices.map { _ in 1 }
        }
        let found = ShareDivider(problem: problem, rule: group.rule).shares(speeds)
        let shares = ShareDivider.Shares(
            axis: found.axis, parts: found.parts.map { (devices[$0.device], $0.part, $0.fraction) },
            reason: found.reason, refusals: found.refusals)
        var plans: [any BackendPlan] = []
        for share in shares.parts {
            switch try attempt(share.device, { () throws(AttentionError) in try plan(share.device, share.part) }) {
            case .success(let plan): plans.append(plan)
            case .failure(let error): return .failed(device: share.device, error)
            }
        }
        return .planned(Division(shares, plans, group.members, problem.shape, excluded: excluded))
    }

    private func plan(_ device: Int, _ part: ProblemPart) throws(AttentionError) -> any BackendPlan {
        let (member, policy, problem) = (group.members[device], policy, problem.part(part))
        return try member.watched(RunControl()) { (_) throws(AttentionError) in try member.plan(problem, policy) }
    }

    /// The speed that was measured before, or is now: the second run counts, as the first may have to make ready.
    private func measured(_ device: Int, _ probe: SpeedProbe?) throws(AttentionError) -> Double {
        let kind = SpeedTable.Kind(problem)
        if let known = group.speeds.speed(device, kind) { return known }
        guard let probe else { return 1 }
        let (member, policy, clock) = (group.members[device], policy, group.clock)
        let time = try member.watched(RunControl()) { (control) throws(AttentionError) -> Duration in
            let plan = try member.plan(probe.problem, policy)
            let outputs = try probe.outputs()
            _ = try plan.run(probe.problem, probe.inputs, outputs, control)
            let start = clock(device)
            _ = try plan.run(probe.problem, probe.inputs, outputs, control)
            return clock(device) - start
        }
        group.speeds.record(device, kind, work: SpeedTable.work(probe.problem), time)
        return group.speeds.speed(device, kind) ?? 1
    }

    /// What `body` gives, or an error that is the device's own.
    private func attempt<Answer>(
        _ device: Int, _ body: () throws(AttentionError) -> Answer
    ) throws(AttentionError) -> Result<Answer, AttentionError> {
        do throws(AttentionError) { return .success(try body()) } catch {
            guard error.isOfTheDevice else { throw error }
            return .failure(error)
        }
    }
}
