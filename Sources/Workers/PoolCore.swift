#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif
import Locking
import Synchronization

/// What the threads of a pool share: the open jobs, the scratch memory, and where workers sleep.
///
/// `@unchecked Sendable`: the table of jobs never moves, and `Job` says who may touch one.
final class PoolCore: @unchecked Sendable {
    /// Jobs at once; a caller beyond works alone.
    static let jobCount = 64
    /// Two futex calls' worth: long enough for back-to-back calls to find the workers awake.
    private static let spinNanoseconds: UInt64 = 40_000

    let scratch: ScratchPool
    let mark = ForkMark()
    let spinNanoseconds: UInt64
    private let table: UnsafeMutableRawPointer
    private let bed = Bed()
    private let board = Board()

    /// Words that several threads write, each on a line of its own, away from what is only read.
    private struct Board: ~Copyable {
        typealias Line = (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64)
        private let before: Line = (0, 0, 0, 0, 0, 0, 0)
        /// Bits of jobs with work and seats. A bit may stay a moment too long, never vanish too early.
        let open = Atomic<UInt64>(0)
        private let afterOpen: Line = (0, 0, 0, 0, 0, 0, 0)
        /// Bits of jobs that belong to a caller.
        let taken = Atomic<UInt64>(0)
        private let afterTaken: Line = (0, 0, 0, 0, 0, 0, 0)
        let spinning = Atomic<Int>(0)
        let sleeping = Atomic<Int>(0)
        let stopping = Atomic<Bool>(false)
        private let after: Line = (0, 0, 0, 0, 0, 0, 0)
    }

    init(threads: Int, processors: Int) {
        scratch = ScratchPool(pieces: threads + Self.jobCount)
        spinNanoseconds = processors > 1 ? Self.spinNanoseconds : 0
        table = .allocate(byteCount: Self.jobCount * Job.stride, alignment: 128)
        precondition(MemoryLayout<Job>.size <= Job.stride)
        for index in 0..<Self.jobCount { job(index).initialize(to: Job()) }
    }

    deinit {
        for index in 0..<Self.jobCount { job(index).deinitialize(count: 1) }
        table.deallocate()
        bed.destroy()
    }

    func job(_ index: Int) -> UnsafeMutablePointer<Job> {
        (table + index * Job.stride).assumingMemoryBound(to: Job.self)
    }

    // MARK: The caller's side

    /// The index of a job that nobody else has; nil if all are taken.
    func takeJob() -> Int? {
        var current = board.taken.load(ordering: .relaxed)
        while current != UInt64.max {
            let bit = ~current & (current &+ 1)
            let result = board.taken.weakCompareExchange(
                expected: current, desired: current | bit, ordering: .acquiringAndReleasing)
            if result.exchanged { return bit.trailingZeroBitCount }
            current = result.original
        }
        return nil
    }

    func giveJob(_ index: Int) {
        board.taken.bitwiseAnd(~(1 << UInt64(index)), ordering: .acquiringAndReleasing)
    }

    /// Opens a job to `seats` workers, and wakes some if too few are awake.
    func open(_ index: Int, _ description: Job.Description, seats: Int) {
        // The bit first: a worker that takes the last seat takes the bit back, and must not do so before it is set.
        board.open.bitwiseOr(1 << UInt64(index), ordering: .sequentiallyConsistent)
        job(index).pointee.open(description, seats: seats)
        wake(for: seats)
    }

    /// No worker need look at the job again. Only by threads that are inside it, or its caller: the bit is then this job's.
    func withdraw(_ index: Int) {
        let bit: UInt64 = 1 << UInt64(index)
        guard board.open.load(ordering: .relaxed) & bit != 0 else { return }
        board.open.bitwiseAnd(~bit, ordering: .acquiringAndReleasing)
    }

    /// Wakes at most two sleepers if the workers that look for a job anyway are fewer than `seats`: who wakes does the same for the
    /// seats that are left, so that no thread has to wake many.
    private func wake(for seats: Int) {
        // Sequentially consistent, as in `rest`: either the sleeper sees the open job, or this thread sees the sleeper.
        let sleeping = board.sleeping.load(ordering: .sequentiallyConsistent)
        guard sleeping > 0 else { return }
        let missing = seats - board.spinning.load(ordering: .sequentiallyConsistent)
        guard missing > 0 else { return }
        bed.lock()
        bed.wakeOne()
        if missing > 1 && sleeping > 1 { bed.wakeOne() }
        bed.unlock()
    }

    /// Makes all workers return.
    func stop() {
        board.stopping.store(true, ordering: .sequentiallyConsistent)
        bed.lock()
        bed.wakeAll()
        bed.unlock()
    }

    // MARK: The worker's side

    /// What worker `number` does all its life.
    func serve(number: Int) {
        while !board.stopping.load(ordering: .relaxed) && !mark.isChild {
            if lookOut() { help(number: number) } else { rest() }
        }
    }

    /// Looks for open jobs for a while, and says whether there are any.
    private func lookOut() -> Bool {
        if board.open.load(ordering: .relaxed) != 0 { return true }
        board.spinning.add(1, ordering: .sequentiallyConsistent)
        var spin = Spin(nanoseconds: spinNanoseconds)
        while spin.again() {
            if board.open.load(ordering: .relaxed) != 0 {
                board.spinning.subtract(1, ordering: .sequentiallyConsistent)
                return true
            }
        }
        // Counted as spinning up to here: `rest` looks once more after the count has gone down.
        board.spinning.subtract(1, ordering: .sequentiallyConsistent)
        return false
    }

    /// Sleeps until it is woken, unless a job has come meanwhile.
    private func rest() {
        bed.lock()
        defer { bed.unlock() }
        board.sleeping.add(1, ordering: .sequentiallyConsistent)
        if board.open.load(ordering: .sequentiallyConsistent) == 0
            && !board.stopping.load(ordering: .sequentiallyConsistent)
        {
            bed.sleep()
        }
        board.sleeping.subtract(1, ordering: .sequentiallyConsistent)
    }

    /// Joins an open job, the workers spread over them by their numbers, and stays until its items are taken.
    private func help(number: Int) {
        var bits = board.open.load(ordering: .relaxed)
        guard bits != 0 else { return }
        for _ in 0..<number % bits.nonzeroBitCount { bits &= bits - 1 }
        let index = bits.trailingZeroBitCount
        guard let seatsLeft = job(index).pointee.join() else { return }
        if seatsLeft == 0 { withdraw(index) }
        // There may be more to do than this thread was woken for.
        if board.open.load(ordering: .sequentiallyConsistent) != 0 { wake(for: max(seatsLeft, 1)) }
        if let piece = scratch.take(bytes: job(index).pointee.description.pointee.scratchBytes, near: number) {
            job(index).pointee.runAll(scratch: piece.memory)
            scratch.give(piece, near: number)
            withdraw(index)
        }
        job(index).pointee.leave()
    }
}
