import OpenCLRuntime

/// The commands of one call, or those of all calls of a sequence, on one in-order queue.
///
/// What a command uses stays until the queue is finished: drivers keep memory that enqueued commands use, but scratch memory would
/// be handed to others.
final class Commands {
    let queue: Queue
    /// Whether calls leave it running when they return.
    let isSequence: Bool
    private let pool: ScratchPool
    private let timer: LaunchTimer
    /// Launches that nobody has waited for.
    private var pending = 0
    /// Scratch memory that the next command of this queue may use.
    private var idle: [Buffer] = []
    private var held: [Buffer] = []
    private var heldBytes = 0
    /// What a command of a sequence ended with; it is thrown again when the sequence ends.
    private var failure: OpenCLError?

    /// Launches of a sequence before it waits: events and small buffers are kept until then.
    private static let mostPending = 512
    private static let mostHeldBytes = 64 << 20

    init(queue: Queue, pool: ScratchPool, isProfiled: Bool = false, isSequence: Bool = false) {
        self.queue = queue
        self.pool = pool
        self.isSequence = isSequence
        timer = LaunchTimer(isOn: isProfiled)
    }

    /// Nanoseconds of all launches that were waited for; `nil` if they were not measured.
    var nanoseconds: UInt64? { timer.total }

    func run(_ launch: consuming Launch, global: WorkSize, local: WorkSize?) throws(OpenCLError) {
        try timer.run(launch, on: queue, global: global, local: local)
        pending += 1
    }

    /// Keeps a buffer until the queue is finished.
    func hold(_ buffer: Buffer) {
        guard isSequence else { return }
        held.append(buffer)
        heldBytes += buffer.byteCount
    }

    /// A buffer of at least `byteCount` bytes with undefined contents.
    func takeScratch(_ byteCount: Int) throws(OpenCLError) -> Buffer {
        // The first that fits: a sequence repeats itself.
        if let found = idle.firstIndex(where: {
            $0.byteCount >= byteCount && $0.byteCount / 4 <= max(byteCount, 1 << 20)
        }) {
            return idle.remove(at: found)
        }
        return try pool.take(byteCount)
    }

    /// Takes scratch memory back once its call has enqueued, and ended, all that uses it.
    func giveBack(_ buffer: Buffer) {
        if isSequence { idle.append(buffer) } else { pool.giveBack(buffer) }
    }

    /// Ends a call: it waits, unless it is part of a sequence and nothing of it is the host's.
    func endCall(mustWait: Bool) throws(OpenCLError) {
        if !isSequence || mustWait || pending >= Self.mostPending || heldBytes > Self.mostHeldBytes {
            return try wait()
        }
        // On its way while the host makes the next call ready.
        try queue.flush()
    }

    /// Waits for all commands so far, and hears how they ended.
    func wait() throws(OpenCLError) {
        do throws(OpenCLError) {
            try queue.finish()
            try timer.check()
        } catch {
            failure = failure ?? error
            throw error
        }
        settle()
    }

    /// After an error: whatever still runs uses the caller's memory, so it ends before the caller hears of the error.
    func abandon() { try? wait() }

    /// Ends a sequence.
    ///
    /// - Throws: what any of its commands ended with.
    func endSequence() throws(OpenCLError) {
        try wait()
        if let failure { throw failure }
    }

    /// Nothing runs any more.
    private func settle() {
        pending = 0
        held.removeAll(keepingCapacity: true)
        heldBytes = 0
        for buffer in idle { pool.giveBack(buffer) }
        idle.removeAll(keepingCapacity: true)
    }
}
