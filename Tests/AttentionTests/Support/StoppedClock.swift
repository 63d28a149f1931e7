import Locking

/// Time that passes when the test says so.
final class StoppedClock: Sendable {
    private let instant = Guarded(ContinuousClock.now)

    var now: @Sendable () -> ContinuousClock.Instant { { self.instant.withLock { $0 } } }

    func advance(by duration: Duration) { instant.withLock { $0 += duration } }
}
