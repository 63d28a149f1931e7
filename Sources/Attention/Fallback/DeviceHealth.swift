import Locking

/// Whether a device rests after a failure. All copies of a device share it.
final class DeviceHealth: Sendable {
    private struct State {
        var until: ContinuousClock.Instant?
        var reason = ""
        /// Failures since the last call that went well.
        var failures = 0
    }

    /// The longest rest, in first ones.
    private static let longest = 16
    private let now: @Sendable () -> ContinuousClock.Instant
    private let state = Guarded(State())

    init(now: @escaping @Sendable () -> ContinuousClock.Instant = { ContinuousClock.now }) { self.now = now }

    /// Takes note of a failure. The device rests for `time`, and twice as long with each failure after a rest, up to 16 times.
    func failed(_ reason: String, rest time: Duration) {
        state.withLock { state in
            // Calls that were on their way when the rest began, or that insisted, do not lengthen it.
            if let until = state.until, until > now() { return }
            let factor = min(1 << min(state.failures, 30), Self.longest)
            state.failures += 1
            state.reason = reason
            state.until = time > .zero ? now().advanced(by: time * factor) : nil
        }
    }

    /// A call went well.
    func succeeded() {
        // Looked at first: most calls have nothing to forget.
        state.withLock { state in
            guard state.failures > 0 else { return }
            state = State()
        }
    }

    /// The rest that is left, or `nil`.
    var rest: DeviceRest? {
        state.withLock { state in
            guard let until = state.until else { return nil }
            let left = until - now()
            return left > .zero ? DeviceRest(remaining: left, reason: state.reason) : nil
        }
    }

    func wake() { state.withLock { $0 = State() } }
}

/// How long a device that failed is left alone, and what it failed with.
public struct DeviceRest: Hashable, Sendable, CustomStringConvertible {
    /// The time that is left.
    public let remaining: Duration
    /// What the device failed with.
    public let reason: String

    public var description: String {
        let seconds = Int((remaining / .seconds(1)).rounded(.up))
        return "resting for another \(seconds) s after: \(reason)"
    }
}

extension Device {
    /// The rest that this device takes after a failure; `nil` if it works. Calls that may fall back go to the next device meanwhile.
    public var rest: DeviceRest? { health.rest }

    /// Ends the rest, for example after the driver was restarted.
    public func wake() { health.wake() }

    /// Takes note of what a call on this device ended in. Memory that one call is refused may be there for a smaller one, and what the
    /// device cannot do is no failure: neither lets it rest.
    func note(_ error: AttentionError) {
        guard case .deviceFailed(_, let detail) = error else { return }
        health.failed(detail, rest: restTime)
    }
}
