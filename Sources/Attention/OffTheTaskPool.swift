import Dispatch

/// Runs blocking work on a thread of its own kind: the threads that tasks share are as few as the cores, and none may wait.
///
/// Cancelling the task cancels `control`, which the work looks at.
func offTheTaskPool<Result: Sendable>(
    _ control: RunControl, _ work: @escaping @Sendable () throws(AttentionError) -> Result
) async throws(AttentionError) -> Result {
    let result = await withTaskCancellationHandler {
        await withCheckedContinuation {
            (continuation: CheckedContinuation<Swift.Result<Result, AttentionError>, Never>) in
            blockingQueue.async {
                do throws(AttentionError) {
                    continuation.resume(returning: .success(try work()))
                } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
        }
    } onCancel: {
        control.cancel()
    }
    return try result.get()
}

private let blockingQueue = DispatchQueue(label: "swift-attention.calls", attributes: .concurrent)
