import Dispatch
import Locking

/// Runs blocking work on a thread of its own kind: the threads that tasks share are as few as the cores, and none may wait.
///
/// Cancelling the task cancels `control`, which the work looks at.
package func offTheTaskPool<Result: Sendable>(
    _ control: RunControl, _ work: @escaping @Sendable () throws(AttentionError) -> Result
) async throws(AttentionError) -> Result {
    // The result goes by way of a lock, as the thread sanitizer does not always see what resuming a task orders.
    let box = Guarded<Swift.Result<Result, AttentionError>?>(nil)
    await withTaskCancellationHandler {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            blockingQueue.async {
                let result: Swift.Result<Result, AttentionError>
                do throws(AttentionError) { result = .success(try work()) } catch { result = .failure(error) }
                box.withLock { $0 = result }
                continuation.resume()
            }
        }
    } onCancel: {
        control.cancel()
    }
    guard let result = box.withLock({ $0 }) else { throw .cancelled }
    return try result.get()
}

private let blockingQueue = DispatchQueue(label: "swift-attention.calls", attributes: .concurrent)
