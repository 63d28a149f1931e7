#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif
import Synchronization
import Testing

@testable import Workers

@Suite struct WorkerPoolTests {
    @Test(arguments: [1, 2, 3, 8])
    func everyItemOnce(threads: Int) throws {
        let pool = WorkerPool(threads: 5)
        for count in [0, 1, 2, 3, 7, 64, 1000] {
            for grain in [-1, 0, 1, 2, 3, 64, 999, 1000, 1001, Int.max] {
                let tally = Tally(items: count)
                try pool.run(counting, tally.context, count: count, grain: grain, threads: threads, scratchBytes: 0)
                #expect(tally.all(1) && tally.faults.load(ordering: .relaxed) == 0, "\(count) items by \(grain)")
            }
        }
        try pool.run(counting, Tally(items: 0).context, count: -1, grain: 1, threads: threads, scratchBytes: 0)
    }

    /// Runs begin at multiples of the grain and are whole, but for the last, with workers and without.
    @Test(arguments: [1, 4])
    func runsAreOfTheGrain(threads: Int) throws {
        let pool = WorkerPool(threads: 4)
        let tally = Tally(items: 100)
        let work: WorkerPool.Work = { context, first, last, _ in
            let tally = Tally.at(context)
            tally.enter(first, last)
            if first % 7 != 0 || last != min(first + 7, 100) { tally.faults.add(1, ordering: .relaxed) }
            tally.leave()
        }
        try pool.run(work, tally.context, count: 100, grain: 7, threads: threads, scratchBytes: 0)
        #expect(tally.all(1) && tally.faults.load(ordering: .relaxed) == 0)
    }

    /// Counts and grains at the end of `Int` do not overflow.
    @Test func largestCounts() throws {
        let pool = WorkerPool(threads: 3)
        final class Sum: Sendable { let value = Atomic<Int>(0) }
        let sum = Sum()
        let work: WorkerPool.Work = { context, first, last, _ in
            Unmanaged<Sum>.fromOpaque(context).takeUnretainedValue().value.add(last - first, ordering: .relaxed)
        }
        try withExtendedLifetime(sum) {
            let context = UnsafeRawPointer(Unmanaged.passUnretained(sum).toOpaque())
            for (threads, grain) in [(1, Int.max / 2), (3, Int.max / 2), (3, Int.max - 1), (3, Int.max / 1000)] {
                sum.value.store(0, ordering: .relaxed)
                try pool.run(work, context, count: Int.max, grain: grain, threads: threads, scratchBytes: 0)
                #expect(sum.value.load(ordering: .relaxed) == Int.max)
            }
        }
    }

    @Test func concurrentCallers() {
        let pool = WorkerPool(threads: 4)
        let failures = Atomic<Int>(0)
        onThreads(8) { number in
            for round in 0..<1000 {
                let count = 2 + (number + round) % 9
                let tally = Tally(items: count)
                let done: ()? = try? pool.run(
                    counting, tally.context, count: count, grain: 1, threads: 1 + round % 4,
                    scratchBytes: round % 3 * 64)
                if done == nil || !tally.all(1) { failures.add(1, ordering: .relaxed) }
            }
        }
        #expect(failures.load(ordering: .relaxed) == 0)
    }

    /// More callers than the table of jobs has room for.
    @Test func moreCallersThanJobs() {
        let pool = WorkerPool(threads: 2)
        let failures = Atomic<Int>(0)
        onThreads(PoolCore.jobCount + 20) { _ in
            for _ in 0..<5 {
                let tally = Tally(items: 4)
                let done: ()? = try? pool.run(
                    slow, tally.context, count: 4, grain: 1, threads: 2, scratchBytes: 8192)
                if done == nil || !tally.all(1) { failures.add(1, ordering: .relaxed) }
            }
        }
        #expect(failures.load(ordering: .relaxed) == 0)
    }

    /// Three levels of jobs, 6 × 6 × 6 items.
    @Test(arguments: [1, 2, 4])
    func nested(threads: Int) throws {
        let pool = WorkerPool(threads: threads)
        let outer = Tally(items: 6, pool: pool)
        let work: WorkerPool.Work = { context, first, last, _ in
            let outer = Tally.at(context)
            outer.enter(first, last)
            let middle = Tally(items: 6, pool: outer.pool)
            let middleWork: WorkerPool.Work = { context, first, last, _ in
                let middle = Tally.at(context)
                middle.enter(first, last)
                let inner = Tally(items: 6)
                let done: ()? = try? middle.pool!.run(
                    counting, inner.context, count: 6, grain: 1, threads: 4, scratchBytes: 100)
                if done == nil || !inner.all(1) { middle.faults.add(1, ordering: .relaxed) }
                middle.leave()
            }
            for _ in 0..<20 {
                let done: ()? = try? outer.pool!.run(
                    middleWork, middle.context, count: 6, grain: 1, threads: 4, scratchBytes: 100)
                if done == nil { outer.faults.add(1, ordering: .relaxed) }
            }
            if !middle.all(20) || middle.faults.load(ordering: .relaxed) != 0 {
                outer.faults.add(1, ordering: .relaxed)
            }
            outer.leave()
        }
        try pool.run(work, outer.context, count: 6, grain: 1, threads: 4, scratchBytes: 100)
        #expect(outer.all(1) && outer.faults.load(ordering: .relaxed) == 0)
    }

    /// A job has as many threads at once as it asked for, and never more.
    @Test(arguments: [1, 2, 3, 6])
    func threadsOfAJob(threads: Int) throws {
        let pool = WorkerPool(threads: 6)
        let tally = Tally(items: 100, expected: threads)
        try pool.run(meeting, tally.context, count: 100, grain: 1, threads: threads, scratchBytes: 0)
        #expect(tally.all(1) && tally.most.load(ordering: .relaxed) == threads)
        #expect((tally.workers.load(ordering: .relaxed) > 0) == (threads > 1))
    }

    @Test func threadLimit() throws {
        let pool = WorkerPool(threads: 4)
        #expect(pool.threadLimit == 4)
        for (set, expected) in [(1, 1), (-3, 1), (2, 2), (99, 4), (3, 3)] {
            pool.threadLimit = set
            #expect(pool.threadLimit == expected)
            let tally = Tally(items: 50, expected: expected)
            try pool.run(meeting, tally.context, count: 50, grain: 1, threads: 99, scratchBytes: 0)
            #expect(tally.all(1) && tally.most.load(ordering: .relaxed) == expected)
        }
    }

    /// Threads end with their pool, whether it has worked, is asleep or has never begun.
    @Test func poolsEnd() throws {
        for round in 0..<60 {
            let pool = WorkerPool(threads: 3)
            if round % 3 > 0 {
                let tally = Tally(items: 10)
                try pool.run(counting, tally.context, count: 10, grain: 1, threads: 3, scratchBytes: 1000)
                #expect(tally.all(1))
            }
            if round % 3 == 2 { usleep(300) }
        }
    }

    /// Workers wake from sleep, again and again, whether they have just gone to sleep or long ago: every job gets its help.
    @Test func sleepersWake() throws {
        let pool = WorkerPool(threads: 3)
        for round in 0..<100 {
            usleep(UInt32(round % 10) * 20)
            let tally = Tally(items: 3, expected: 3)
            try pool.run(meeting, tally.context, count: 3, grain: 1, threads: 3, scratchBytes: 0)
            #expect(tally.all(1) && tally.most.load(ordering: .relaxed) == 3)
        }
    }

    @Test func sharedPool() throws {
        #expect(WorkerPool.availableProcessors >= 1)
        #expect(WorkerPool.shared.threadLimit == WorkerPool.availableProcessors)
        let tally = Tally(items: 100)
        try WorkerPool.shared.run(counting, tally.context, count: 100, grain: 3, threads: 64, scratchBytes: 10)
        #expect(tally.all(1))
    }
}
