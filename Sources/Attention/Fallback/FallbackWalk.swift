import Logging

/// The way of one call, or of the making of a plan, from its device along the policy until somebody has an answer.
struct FallbackWalk {
    /// Somebody who failed or rests; its place is counted from 0, the device itself.
    private struct Missed {
        let place: Int
        let fallback: Fallback
        /// `nil` for one that rests.
        let error: AttentionError?
    }

    private let device: Device
    private let fallback: FallbackPolicy
    private let policy: PlanPolicy
    private let control: RunControl
    private let hasSuccessors: Bool
    /// Whether the call writes over what it reads: who has begun it cannot be followed by another.
    private let isInPlace: Bool
    private var missed: [Missed] = []
    /// Places of those that were not asked.
    private var resting: [Int] = []
    private var answeredBy: Int?

    init(
        _ device: Device, _ fallback: FallbackPolicy, _ policy: PlanPolicy, _ control: RunControl,
        isInPlace: Bool = false
    ) {
        self.isInPlace = isInPlace
        self.device = device
        self.fallback = fallback
        self.policy = policy
        self.control = control
        hasSuccessors = fallback.hasSuccessors(device.description.kind)
    }

    /// Asks one after the other.
    ///
    /// - Parameters:
    ///   - success: What an answer says about the device that gave it.
    ///   - own: Computes on the device itself.
    ///   - prepare: Brings the operands to where the others find them. They are not asked if that fails.
    ///   - next: Computes on one of those that follow.
    /// - Throws: The first error, if all fail; at once, what nobody else could mend.
    mutating func run<Answer>(
        success: RestKeeper.Outcome, own: () throws(AttentionError) -> Answer,
        prepare: () throws(AttentionError) -> Void, next: (Standby) throws(AttentionError) -> Answer
    ) throws(AttentionError) -> Answer {
        if let answer = try ask(0, nil, heedsRest: hasSuccessors, success, own) { return answer }
        let standbys = fallback.successors(of: device.description.kind).map(device.standbys.standby)
        if try isPrepared(prepare) {
            for (place, standby) in zip(1..., standbys) {
                let answer = try ask(place, standby, heedsRest: true, success) { () throws(AttentionError) in
                    try next(standby)
                }
                if let answer { return answer }
            }
        }
        // Nobody could. A rest saves time; it must not cost the result.
        for place in resting {
            let standby = place > 0 ? standbys[place - 1] : nil
            let answer = try ask(place, standby, heedsRest: false, success) { () throws(AttentionError) in
                guard let standby else { return try own() }
                return try next(standby)
            }
            if let answer { return answer }
        }
        throw firstError ?? .noDevice(requested: "\(fallback)", reason: "no device is left")
    }

    /// One device's answer; `nil` if it rests or fails and somebody may come after it.
    private mutating func ask<Answer>(
        _ place: Int, _ standby: Standby?, heedsRest: Bool, _ success: RestKeeper.Outcome,
        _ compute: () throws(AttentionError) -> Answer
    ) throws(AttentionError) -> Answer? {
        let rest = standby?.rest ?? device.rest
        var name: String { standby?.name ?? device.description.name }
        switch rest.enter(heedsRest: heedsRest && device.restTime > .zero) {
        case .rest(let state):
            resting.append(place)
            note(place, state.error, Fallback(from: name, reason: "\(state)"), isAsked: false)
            return nil
        case .go(let visit):
            do throws(AttentionError) {
                let answer = try compute()
                rest.leave(visit, success, restTime: device.restTime)
                answeredBy = place
                return answer
            } catch {
                let time = rest.leave(visit, .failed(error), restTime: device.restTime)
                try control.check()
                if case .cancelled = error { throw error }
                let isCovered = standby != nil || fallback.covers(error, policy)
                guard hasSuccessors, isCovered, !isInPlace || error.isRefusal else { throw error }
                note(place, error, Fallback(from: name, reason: "\(error)"), isAsked: true, rests: time)
                return nil
            }
        }
    }

    /// Who failed or rested before somebody had an answer.
    var fallbacks: [Fallback] { missed.filter { $0.place != answeredBy }.map(\.fallback) }

    /// What the first of them failed with.
    var firstError: AttentionError? {
        missed.filter { $0.error != nil }.min { $0.place < $1.place }?.error
    }

    private func isPrepared(_ prepare: () throws(AttentionError) -> Void) throws(AttentionError) -> Bool {
        do throws(AttentionError) {
            try prepare()
            return true
        } catch {
            try control.check()
            device.logger.notice("nobody else can take the call: its operands cannot be read: \(error)")
            return false
        }
    }

    /// Remembers and tells who could not.
    private mutating func note(
        _ place: Int, _ error: AttentionError, _ fallback: Fallback, isAsked: Bool, rests: Duration? = nil
    ) {
        // What the automatic policy may take where it is there is missed by nobody where it is not.
        if case .noDevice = error, self.fallback == .automatic { return }
        missed.append(Missed(place: place, fallback: fallback, error: isAsked ? error : nil))
        let facts: Logger.Metadata = ["device": "\(fallback.from)", "reason": "\(fallback.reason)"]
        guard isAsked else { return device.logger.debug("a resting device is passed over", metadata: facts) }
        var metadata = facts
        metadata["rests"] = rests.map { "\($0.inWords)" }
        device.logger.notice(
            place == 0 ? "going on with the next device" : "could not finish the call either", metadata: metadata)
    }
}

extension AttentionError {
    /// Whether nothing was begun.
    fileprivate var isRefusal: Bool { if case .unsupported = self { true } else { false } }
}
