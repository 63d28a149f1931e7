import Dispatch
import Foundation
import Locking

/// Work that is waited for no longer than a limit.
enum TimeLimit {
    /// Runs `work` on a thread of its own, and waits for it until `limit` has passed or `control` is cancelled. It is told to stop then
    /// and left alone: a driver that hangs cannot be interrupted, and what the work refers to stays alive until it ends, if ever.
    ///
    /// - Parameters:
    ///   - device: whose name errors carry.
    ///   - work: gets the control to look at.
    /// - Throws: what `work` throws; `AttentionError.deviceFailed` when the limit passes.
    static func run<Value: Sendable>(
        _ limit: Duration, _ control: RunControl, device: String,
        _ work: @escaping @Sendable (RunControl) throws(AttentionError) -> Value
    ) throws(AttentionError) -> Value {
        let inner = RunControl(isProfiled: control.isProfiled)
        let box = Guarded<Result<Value, AttentionError>?>(nil)
        let done = DispatchSemaphore(value: 0)
        // Not one of a pool's threads: those that hang would use it up.
        Thread.detachNewThread {
            let result: Result<Value, AttentionError>
            do throws(AttentionError) { result = .success(try work(inner)) } catch { result = .failure(error) }
            box.withLock { $0 = result }
            done.signal()
        }
        let end = ContinuousClock.now.advanced(by: limit)
        while true {
            let left = min(end - .now, .milliseconds(10))
            let nanoseconds = Int(max(left / .nanoseconds(1), 0))
            if done.wait(timeout: .now() + .nanoseconds(nanoseconds)) == .success {
                guard let result = box.withLock({ $0 }) else { break }
                return try result.get()
            }
            do throws(AttentionError) { try control.check() } catch {
                inner.cancel()
                throw error
            }
            if ContinuousClock.now >= end { break }
        }
        inner.cancel()
        throw .deviceFailed(device: device, detail: "no answer within \(limit); its queue is abandoned")
    }
}
