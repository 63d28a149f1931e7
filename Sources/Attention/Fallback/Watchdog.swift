import Dispatch
import Locking
import Synchronization

/// Waits for work up to a limit, and goes on without it afterwards.
///
/// Neither a kernel nor a thread inside a driver can be killed. Work that takes too long is told to stop and left alone: it keeps
/// what it uses alive, for ever if need be, and so must write to nothing that others use.
final class Watchdog: Sendable {
    private enum State<Answer: Sendable> {
        case working
        case done(Result<Answer, AttentionError>)
        case abandoned
    }

    /// How long a cancelled call may go on waiting.
    private static let glance = Duration.milliseconds(10)

    private let stuck = Atomic<Int>(0)

    /// Work that was abandoned and has not ended.
    var abandoned: Int { stuck.load(ordering: .relaxed) }

    /// What `work` gives, on this thread without a limit and on one of its own with one.
    ///
    /// - Parameters:
    ///   - device: Who is waited for.
    ///   - limit: The longest to wait.
    ///   - control: Of the call; `work` is given one of its own with a limit, so that it alone is told to stop.
    /// - Throws: What `work` throws; `AttentionError.deviceFailed` when the time is over, or `.cancelled` as soon as `control` is.
    func wait<Answer: Sendable>(
        for device: String, upTo limit: Duration?, _ control: RunControl,
        _ work: @escaping @Sendable (RunControl) throws(AttentionError) -> Answer
    ) throws(AttentionError) -> Answer {
        guard let limit else { return try work(control) }
        let own = RunControl(following: control)
        let state = Guarded<State<Answer>>(.working)
        let isDone = DispatchSemaphore(value: 0)
        let hasBegun = OwnThread.run { [self] in
            let result: Result<Answer, AttentionError>
            do throws(AttentionError) { result = .success(try work(own)) } catch { result = .failure(error) }
            state.withLock { state in
                // Whatever an abandoned call has made goes now, when nothing runs on it any more.
                if case .abandoned = state { stuck.subtract(1, ordering: .relaxed) } else { state = .done(result) }
            }
            isDone.signal()
        }
        guard hasBegun else { throw .deviceFailed(device: device, detail: "the system gives no thread to watch it on") }
        Self.wait(isDone, upTo: limit, control)
        let result = state.withLock { state -> Result<Answer, AttentionError>? in
            if case .done(let result) = state { return result }
            state = .abandoned
            stuck.add(1, ordering: .relaxed)
            return nil
        }
        guard let result else {
            own.cancel()
            try control.check()
            throw .deviceFailed(
                device: device, detail: "it gave no answer within \(limit.inWords); its queue is abandoned")
        }
        return try result.get()
    }

    /// Until `isDone`, the limit has passed, or `control` is cancelled: it wakes nobody, so it is looked at now and then.
    private static func wait(_ isDone: DispatchSemaphore, upTo limit: Duration, _ control: RunControl) {
        let start = ContinuousClock.now
        while true {
            let left = limit - (ContinuousClock.now - start)
            if isDone.wait(timeout: .now() + min(left, glance).forDispatch) == .success || left <= glance { return }
            do throws(AttentionError) { try control.check() } catch { return }
        }
    }
}

extension Duration {
    fileprivate var forDispatch: DispatchTimeInterval {
        .nanoseconds(Int(max(self, .zero) / .nanoseconds(1)))
    }
}
