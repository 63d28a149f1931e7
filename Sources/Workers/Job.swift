import Locking
import Synchronization

/// One call of `WorkerPool.run`, in a table that outlives it: the description is written by the caller before the job opens, and
/// read by workers that have joined, whom the caller awaits before it describes the next one.
struct Job: ~Copyable {
    /// Bytes from one job to the next, a multiple of two cache lines.
    static let stride = 256

    private static let insideMask: UInt64 = 0xFFFF
    private static let seat: UInt64 = 1 << 16
    private static let seatMask: UInt64 = 0xFFFF << 16
    private static let callerSleeps: UInt64 = 1 << 32

    /// Workers inside, seats left, and whether the caller sleeps until the last of them leaves, in one word.
    private let state = Atomic<UInt64>(0)
    /// Apart from the rest, as it is plain memory: to change a part of a struct is to change all of it.
    let description = UnsafeMutablePointer<Description>.allocate(capacity: 1)
    /// Two lines away from the description: every thread of the job writes here.
    private let padding: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64) =
        (0, 0, 0, 0, 0, 0, 0, 0, 0)
    private let nextRun = Atomic<Int>(0)
    /// Where the caller sleeps.
    let bed = Bed()

    /// What there is to do.
    struct Description {
        let work: WorkerPool.Work
        let context: UnsafeRawPointer
        let count: Int
        let grain: Int
        let scratchBytes: Int

        /// How many runs of `grain` items there are; both are at least 1.
        var runs: Int { (count - 1) / grain + 1 }
    }

    deinit {
        description.deallocate()
        bed.destroy()
    }

    /// Describes a job and opens it to `seats` workers.
    func open(_ description: Description, seats: Int) {
        // Trivial memory, which needs no end before it begins anew.
        self.description.initialize(to: description)
        nextRun.store(0, ordering: .relaxed)
        state.store(UInt64(seats) * Self.seat, ordering: .releasing)
    }

    /// Takes a seat: how many are left then; nil if there was none.
    func join() -> Int? {
        var current = state.load(ordering: .relaxed)
        while current & Self.seatMask != 0 {
            let result = state.weakCompareExchange(
                expected: current, desired: current - Self.seat + 1, ordering: .acquiringAndReleasing)
            if result.exchanged { return Int((current & Self.seatMask) / Self.seat) - 1 }
            current = result.original
        }
        return nil
    }

    /// Runs of `grain` items in ascending order, until other threads and this one have taken all.
    func runAll(scratch: UnsafeMutableRawPointer?) {
        let job = description.pointee
        let runs = job.runs
        // Runs are counted, not items, so that the counter cannot overflow.
        while true {
            let run = nextRun.add(1, ordering: .relaxed).oldValue
            guard run < runs else { return }
            let first = run * job.grain
            job.work(job.context, first, job.count - first > job.grain ? first + job.grain : job.count, scratch)
        }
    }

    /// A worker is done with the job, and touches the description no more.
    func leave() {
        let old = state.subtract(1, ordering: .acquiringAndReleasing).oldValue
        guard old & Self.callerSleeps != 0, old & Self.insideMask == 1 else { return }
        bed.lock()
        bed.wakeOne()
        bed.unlock()
    }

    /// Takes the seats that are left away, and waits until no worker is inside; false if the workers are those of the process
    /// that this one was forked from.
    func finish(spinning nanoseconds: UInt64, mark: ForkMark) -> Bool {
        if state.bitwiseAnd(~Self.seatMask, ordering: .acquiringAndReleasing).newValue == 0 { return true }
        var spin = Spin(nanoseconds: nanoseconds)
        while spin.again() {
            if state.load(ordering: .acquiring) & Self.insideMask == 0 { return true }
        }
        if mark.isChild { return false }
        bed.lock()
        defer { bed.unlock() }
        state.bitwiseOr(Self.callerSleeps, ordering: .acquiringAndReleasing)
        while state.load(ordering: .acquiring) & Self.insideMask != 0 { bed.sleep() }
        return true
    }
}
