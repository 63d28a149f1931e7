/// A device of a group, with what the group keeps for it.
final class SharingMember: Sendable {
    let device: Device
    private let plans = PlanCache()

    var name: String { device.description.name }

    init(_ device: Device) { self.device = device }

    /// The plan for a part of a call, kept or new.
    func plan(_ part: AttentionProblem, _ policy: PlanPolicy) throws(AttentionError) -> any BackendPlan {
        try plans.plan(part: part, policy) { () throws(AttentionError) in try device.fitting.plan(part, policy) }
    }

    /// `work` on this device, with its own time limit.
    func watched<Answer: Sendable>(
        _ control: RunControl, _ work: @escaping @Sendable (RunControl) throws(AttentionError) -> Answer
    ) throws(AttentionError) -> Answer {
        try device.watched(control, work)
    }

    /// Lets a call in, unless this device rests after a failure.
    func enter(heedsRest: Bool = true) -> RestKeeper.Entry {
        device.rest.enter(heedsRest: heedsRest && device.restTime > .zero)
    }

    func leave(_ visit: RestKeeper.Visit, _ outcome: RestKeeper.Outcome) {
        device.rest.leave(visit, outcome, restTime: device.restTime)
    }

    func releaseMemory() {
        plans.clear()
        device.releaseMemory()
    }
}

extension AttentionError {
    /// True if another device might do what this one could not.
    var isOfTheDevice: Bool {
        switch self {
        case .deviceFailed, .outOfMemory, .unsupported: true
        case .invalid, .noDevice, .cancelled: false
        }
    }
}
