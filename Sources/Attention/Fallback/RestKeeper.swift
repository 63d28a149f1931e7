import Locking

/// Knows whether a device rests, for all copies of it.
///
/// A device rests after `deviceFailed`: whatever broke will seldom be whole a moment later. It does not after `unsupported`, which
/// is about one kind of call, nor after `outOfMemory`, which one huge call runs into and a small one does not.
final class RestKeeper: Sendable {
    typealias Now = @Sendable () -> ContinuousClock.Instant

    /// A call on its way through the device.
    struct Visit {
        /// How often the device had been sent to rest when the call began: one that began earlier says nothing about now.
        fileprivate let epoch: Int
        /// It tries a device whose rest is over.
        fileprivate let isTrial: Bool
    }

    enum Entry {
        case go(Visit)
        case rest(DeviceRest)
    }

    enum Outcome {
        case worked
        case failed(AttentionError)
        /// Neither: a plan was made and nothing run.
        case planned
    }

    private struct State {
        var epoch = 0
        /// Since it last worked.
        var failures = 0
        var rest: (until: ContinuousClock.Instant, error: AttentionError)?
        var isTried = false
    }

    /// A device that keeps failing rests up to `1 << mostDoublings` times as long.
    private static let mostDoublings = 4

    private let now: Now
    private let state = PerProcess { Guarded(State()) }

    init(now: @escaping Now) { self.now = now }

    /// Lets a call in, or says that the device rests. A call that does not heed rests is always let in.
    func enter(heedsRest: Bool) -> Entry {
        state.value.withLock { state in
            if heedsRest, let rest = rest(state) {
                if rest.remaining > .zero || state.isTried { return .rest(rest) }
                state.isTried = true
                return .go(Visit(epoch: state.epoch, isTrial: true))
            }
            return .go(Visit(epoch: state.epoch, isTrial: false))
        }
    }

    /// Hears how a call ended. The device rests from now on for the time that comes back, if any.
    @discardableResult
    func leave(_ visit: Visit, _ outcome: Outcome, restTime: Duration) -> Duration? {
        state.value.withLock { state in
            guard visit.epoch == state.epoch else { return nil }
            if visit.isTrial { state.isTried = false }
            switch outcome {
            case .planned: return nil
            case .worked:
                (state.rest, state.failures) = (nil, 0)
                return nil
            case .failed(let error):
                let isAsleep = (rest(state)?.remaining ?? .zero) > .zero
                guard Self.isRestedAfter(error), restTime > .zero, !isAsleep else { return nil }
                let time = restTime * (1 << min(state.failures, Self.mostDoublings))
                state.failures += 1
                state.epoch += 1
                state.rest = (now() + time, error)
                state.isTried = false
                return time
            }
        }
    }

    /// The rest that goes on.
    var current: DeviceRest? {
        state.value.withLock { state in
            guard let rest = rest(state), rest.remaining > .zero || state.isTried else { return nil }
            return rest
        }
    }

    func wake() {
        state.value.withLock { $0 = State(epoch: $0.epoch + 1) }
    }

    private func rest(_ state: State) -> DeviceRest? {
        state.rest.map { rest in
            DeviceRest(until: rest.until, remaining: max(rest.until - now(), .zero), error: rest.error)
        }
    }

    private static func isRestedAfter(_ error: AttentionError) -> Bool {
        switch error {
        // Looking for a device that is not there takes a while too.
        case .deviceFailed, .noDevice: true
        case .outOfMemory, .unsupported, .invalid, .cancelled: false
        }
    }
}
