import OpenCLRuntime
import Locking

/// In-order queues of one device. A call takes one for itself, so that calls of many tasks neither wait for each other nor mix
/// their commands; queues are kept for the next call.
final class QueuePool: Sendable {
    private let context: Context
    private let isProfiled: Bool
    private let idle = Guarded<[Queue]>([])
    /// More than this many callers at once is rare; their queues are released rather than kept.
    private let most = 16

    init(context: Context, isProfiled: Bool) {
        self.context = context
        self.isProfiled = isProfiled
    }

    func take() throws(OpenCLError) -> Queue {
        if let queue = idle.withLock({ $0.popLast() }) { return queue }
        return try Queue(context: context, profiling: isProfiled)
    }

    /// Takes back a queue whose commands have all ended.
    func giveBack(_ queue: Queue) {
        idle.withLock { if $0.count < most { $0.append(queue) } }
    }
}
