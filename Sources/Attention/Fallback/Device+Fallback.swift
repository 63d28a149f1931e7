extension Device {
    /// The plan for calls like `problem` on this device, kept or new.
    func plan(
        _ problem: AttentionProblem, _ mask: AttentionMask, _ policy: PlanPolicy
    ) throws(AttentionError) -> any BackendPlan {
        try plans.plan(problem, mask, policy) { () throws(AttentionError) in
            let made = try fitting.plan(problem, policy)
            for warning in made.explanation.warnings {
                logger.notice("\(warning)", metadata: ["device": "\(description.name)"])
            }
            return made
        }
    }

    /// `work` on this device, with its limit.
    func watched<Answer: Sendable>(
        _ control: RunControl, _ work: @escaping @Sendable (RunControl) throws(AttentionError) -> Answer
    ) throws(AttentionError) -> Answer {
        try watchdog.wait(for: description.name, upTo: timeLimit, control, work)
    }

    /// `work` on one that computes for this device, with its limit where it is a driver's.
    func watched<Answer: Sendable>(
        _ other: DeviceDescription, _ control: RunControl,
        _ work: @escaping @Sendable (RunControl) throws(AttentionError) -> Answer
    ) throws(AttentionError) -> Answer {
        try watchdog.wait(for: other.name, upTo: other.kind.isDriver ? timeLimit : nil, control, work)
    }

    /// The backend of `standby`, opened if it is not open.
    func open(_ standby: Standby, _ control: RunControl) throws(AttentionError) -> any Backend {
        let limit = standby.mayBeDriver ? timeLimit : nil
        let backend = try watchdog.wait(for: standby.name, upTo: limit, control) { (_) throws(AttentionError) in
            try standby.backend()
        }
        guard backend.device.selector != description.selector else {
            throw .noDevice(requested: "\(standby.preference)", reason: "that is the device that fails")
        }
        return backend
    }
}

extension Standby {
    /// The plan for calls like `problem`. A kernel that was asked for by name was asked of another device.
    func plan(
        _ problem: AttentionProblem, _ mask: AttentionMask, _ backend: any Backend, _ policy: PlanPolicy
    ) throws(AttentionError) -> any BackendPlan {
        let own = PlanPolicy(workspaceLimit: policy.workspaceLimit)
        return try plans.plan(problem, mask, own) { () throws(AttentionError) in
            try FittingBackend(backend).plan(problem, own)
        }
    }
}
