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

@Suite struct ScratchTests {
    private static let bytes = 5000

    /// Fills its scratch memory with a number of its own, waits, and finds it as it was: nobody else has it.
    private static let marking: WorkerPool.Work = { context, first, last, scratch in
        let tally = Tally.at(context)
        tally.enter(first, last)
        let bytes = ScratchTests.bytes
        guard let scratch, UInt(bitPattern: scratch) % 4096 == 0 else {
            tally.faults.add(1, ordering: .relaxed)
            return
        }
        memset(scratch, Int32(first & 127) + 1, bytes)
        if first % 8 == 0 { usleep(50) } else { sched_yield() }
        let memory = scratch.assumingMemoryBound(to: UInt8.self)
        for index in 0..<bytes where Int(memory[index]) != first & 127 + 1 {
            tally.faults.add(1, ordering: .relaxed)
            break
        }
        tally.leave()
    }

    @Test func everyThreadHasItsOwn() {
        let pool = WorkerPool(threads: 4)
        let failures = Atomic<Int>(0)
        onThreads(4) { _ in
            for _ in 0..<30 {
                let tally = Tally(items: 40)
                let done: ()? = try? pool.run(
                    Self.marking, tally.context, count: 40, grain: 1, threads: 4, scratchBytes: Self.bytes)
                if done == nil || !tally.all(1) || tally.faults.load(ordering: .relaxed) != 0 {
                    failures.add(1, ordering: .relaxed)
                }
            }
        }
        #expect(failures.load(ordering: .relaxed) == 0)
        #expect(pool.idleScratchBytes > 0)
        pool.releaseMemory()
        #expect(pool.idleScratchBytes == 0)
    }

    @Test func noneAskedNoneGiven() throws {
        let pool = WorkerPool(threads: 2)
        let tally = Tally(items: 10)
        let work: WorkerPool.Work = { context, first, last, scratch in
            let tally = Tally.at(context)
            tally.enter(first, last)
            if scratch != nil { tally.faults.add(1, ordering: .relaxed) }
            tally.leave()
        }
        for bytes in [0, -1, Int.min] {
            try pool.run(work, tally.context, count: 10, grain: 1, threads: 2, scratchBytes: bytes)
        }
        #expect(tally.all(3) && tally.faults.load(ordering: .relaxed) == 0 && pool.idleScratchBytes == 0)
    }

    @Test func noMemoryIsAnErrorBeforeAnythingRuns() {
        let pool = WorkerPool(threads: 2)
        let tally = Tally(items: 10)
        for count in [1, 10] {
            #expect(throws: WorkerError.noMemory(bytes: Int.max)) {
                try pool.run(counting, tally.context, count: count, grain: 1, threads: 2, scratchBytes: Int.max)
            }
        }
        #expect(tally.all(0))
    }

    /// A caller whose workers get no memory does the job alone.
    @Test func workersWithoutMemoryStayOut() throws {
        let core = PoolCore(threads: 1, processors: 2)
        let tally = Tally(items: 5)
        let job = core.job(0)
        job.pointee.open(
            .init(work: counting, context: tally.context, count: 5, grain: 1, scratchBytes: .max), seats: 1)
        #expect(job.pointee.join() == 0 && job.pointee.join() == nil)
        #expect(core.scratch.take(bytes: job.pointee.description.pointee.scratchBytes, near: 1) == nil)
        job.pointee.leave()
        job.pointee.runAll(scratch: nil)
        #expect(job.pointee.finish(spinning: 0, mark: core.mark) && tally.all(1))
    }

    @Test func sizeClasses() {
        var before = 0
        for index in 0..<56 + 1 {
            let capacity = ScratchPool.capacity(index)
            #expect(capacity > before && capacity % 1024 == 0)
            #expect(ScratchPool.sizeClass(for: capacity) == index)
            #expect(ScratchPool.sizeClass(for: before + 1) == index)
            before = capacity
        }
        #expect(before == ScratchPool.largestKept)
    }

    /// Pieces are kept and found again, grow in place of smaller ones, and large ones are not kept.
    @Test func piecesAreReused() throws {
        let pool = ScratchPool(pieces: 4)
        let first = try #require(pool.take(bytes: 10_000, near: 2))
        pool.give(first, near: 2)
        #expect(pool.idleBytes == 10_240)
        let second = try #require(pool.take(bytes: 9000, near: 0))
        #expect(second.memory == first.memory && pool.idleBytes == 0)
        pool.give(second, near: 0)
        let third = try #require(pool.take(bytes: 100_000, near: 3))
        #expect(pool.idleBytes == 0)
        pool.give(third, near: 3)
        #expect(pool.idleBytes == 114_688)
        let large = try #require(pool.take(bytes: ScratchPool.largestKept + 1, near: 0))
        pool.give(large, near: 0)
        #expect(pool.idleBytes == 114_688)
        // More than there are cells: the rest is freed.
        let many = (0..<7).compactMap { pool.take(bytes: 4096, near: $0) }
        #expect(Set(many.map(\.memory)).count == 7)
        for piece in many { pool.give(piece, near: 9) }
        #expect(pool.idleBytes < 7 * 4096 + 114_688 && pool.idleBytes >= 4 * 4096)
        pool.release()
        #expect(pool.idleBytes == 0)
    }
}
