import Locking
import Synchronization

/// Threads that share the items of jobs: started once, at the first job that is worth it, and asleep when there is none.
///
/// Any number of threads may run jobs at once, from within jobs too: each works on its own, the pool's threads help whichever are
/// open, and none waits for another. In a child of `fork`, where the threads do not exist, every job runs on its caller alone.
public final class WorkerPool: Sendable {
    /// What is done with the items from `first` up to, not including, `last` of the job behind `context`. `scratch` is memory of
    /// at least the bytes that the job asked for, page-aligned, used by no other thread meanwhile, its contents undefined; nil if
    /// it asked for none.
    public typealias Work =
        @convention(c) (
            _ context: UnsafeRawPointer, _ first: Int, _ last: Int, _ scratch: UnsafeMutableRawPointer?
        ) -> Void

    /// The pool of this process, of as many threads as it may use processors.
    public static let shared = WorkerPool(threads: availableProcessors)

    /// Processors that this process may use, by its affinity mask and the quotas of its control groups; read once.
    public static let availableProcessors = ProcessorCount.current()

    private static let mostThreads = 4096

    private let core: PoolCore
    /// Threads of a call at most, the caller among them.
    private let size: Int
    private let limit: Atomic<Int>
    /// Workers that have been asked for, whether the system gave them or not.
    private let asked = Atomic<Int>(0)
    /// Workers that there are.
    private let started = Atomic<Int>(0)
    private let workers = Guarded<[WorkerThread]>([])

    /// A pool of its own, whose threads end with it.
    /// - Parameter threads: how many threads a job may have, its caller among them.
    public init(threads: Int) {
        size = min(max(threads, 1), Self.mostThreads)
        limit = Atomic(size)
        core = PoolCore(threads: size, processors: Self.availableProcessors)
    }

    deinit {
        // In a forked child there is nobody to stop, and the locks may be held for ever.
        guard !core.mark.isChild else { return }
        core.stop()
        workers.withLock { for worker in $0 { worker.join() } }
    }

    /// At most so many threads share a job, its caller among them: for users who share the machine. From 1 to the pool's size, to
    /// which other values are moved; jobs that run already keep their threads.
    public var threadLimit: Int {
        get { limit.load(ordering: .relaxed) }
        set { limit.store(min(max(newValue, 1), size), ordering: .relaxed) }
    }

    /// Runs the items `0 ..< count` of a job and returns when all are done.
    ///
    /// Allocates nothing once there is scratch memory of the size. If the system refuses threads, or workers' scratch memory,
    /// fewer threads do the job. A process that forks must not do so within a job.
    /// - Parameters:
    ///   - work: what is done with a run of items, on several threads at once.
    ///   - context: handed to `work`; valid until this returns.
    ///   - count: how many items there are; nothing is done if below 1.
    ///   - grain: how many items `work` gets at a time, taken as 1 if below; the last run may be shorter. A job of one run stays
    ///     with its caller.
    ///   - threads: at most so many threads, the caller among them.
    ///   - scratchBytes: memory that each thread needs.
    /// - Throws: `WorkerError.noMemory` before anything is run, if the caller's own scratch memory cannot be had.
    public func run(
        _ work: Work, _ context: UnsafeRawPointer, count: Int, grain: Int, threads: Int, scratchBytes: Int
    ) throws(WorkerError) {
        guard count > 0 else { return }
        guard let scratch = core.scratch.take(bytes: scratchBytes, near: 0) else {
            throw WorkerError.noMemory(bytes: scratchBytes)
        }
        defer { core.scratch.give(scratch, near: 0) }
        let grain = max(grain, 1)
        guard count > grain else { return work(context, 0, count, scratch.memory) }
        let description = Job.Description(
            work: work, context: context, count: count, grain: grain, scratchBytes: scratchBytes)
        let seats = min(threads, limit.load(ordering: .relaxed), description.runs) - 1
        guard seats > 0, workersStarted() > 0, let index = core.takeJob() else {
            return Self.runAlone(work, context, count: count, grain: grain, scratch: scratch.memory)
        }
        let job = core.job(index)
        core.open(index, description, seats: seats)
        job.pointee.runAll(scratch: scratch.memory)
        core.withdraw(index)
        guard job.pointee.finish(spinning: core.spinNanoseconds, mark: core.mark) else { throw .forked }
        core.giveJob(index)
    }

    private static func runAlone(
        _ work: Work, _ context: UnsafeRawPointer, count: Int, grain: Int, scratch: UnsafeMutableRawPointer?
    ) {
        var first = 0
        while count - first > grain {
            work(context, first, first + grain, scratch)
            first += grain
        }
        work(context, first, count, scratch)
    }

    /// Frees the scratch memory that no job uses.
    public func releaseMemory() { core.scratch.release() }

    /// Bytes of scratch memory kept for later jobs. Pieces above 64 MiB are never kept.
    public var idleScratchBytes: Int { core.scratch.idleBytes }

    /// How many workers there are, after those that the limit allows have been started.
    private func workersStarted() -> Int {
        if core.mark.isChild { return 0 }
        if asked.load(ordering: .acquiring) < limit.load(ordering: .relaxed) - 1 { startWorkers() }
        return started.load(ordering: .relaxed)
    }

    private func startWorkers() {
        let core = core
        workers.withLock { workers in
            let wanted = limit.load(ordering: .relaxed) - 1
            let before = asked.load(ordering: .relaxed)
            guard before < wanted else { return }
            for number in before + 1...wanted {
                // A refusal is not asked about again: the next would be refused, too, and cost every call.
                guard let worker = WorkerThread(core: core, number: number) else { break }
                workers.append(worker)
            }
            started.store(workers.count, ordering: .relaxed)
            asked.store(wanted, ordering: .releasing)
        }
    }
}
