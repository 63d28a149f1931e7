#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif
import Synchronization
import TestSupport
import Testing

@testable import Workers

#if os(Linux)
    /// In a process that does nothing else: what other threads of it do in Swift at the moment of a fork, the child may wait for for ever.
    @Suite(.serialized, .enabled(if: OwnProcess.isChild, "runs in a process of its own: OwnProcessTests"))
    struct ForkTests {
        /// Swift hides the function, as little may be called in the child of a process with threads: a pool's `run` may.
        private typealias Fork = @convention(c) () -> pid_t

        /// The exit status of a child that runs `body`, and is killed if it takes more than 20 s; -1 then.
        private static func status(inChild body: () -> Int32) throws -> Int32 {
            let symbol = try #require(dlsym(nil, "fork"))
            let child = unsafeBitCast(symbol, to: Fork.self)()
            if child == 0 {
                alarm(20)
                _exit(body())
            }
            try #require(child > 0)
            var status: Int32 = 0
            while waitpid(child, &status, 0) < 0 && errno == EINTR {}
            return status & 0x7F == 0 ? status >> 8 & 0xFF : -1
        }

        private static func works(_ pool: WorkerPool, _ tally: Tally, times: Int) -> Bool {
            for _ in 0..<times {
                for (count, bytes) in [(1, 100), (50, 0), (50, 70_000)] {
                    let done: ()? = try? pool.run(
                        counting, tally.context, count: count, grain: 1, threads: 4, scratchBytes: bytes)
                    if done == nil { return false }
                }
            }
            return tally.items[0].load(ordering: .relaxed) == 3 * times
                && tally.items[49].load(ordering: .relaxed) == 2 * times
        }

        /// Forked while callers and workers are at work, spin or sleep, the child does its jobs alone.
        @Test func childWorksAlone() throws {
            let pool = WorkerPool(threads: 4)
            let stop = Atomic<Bool>(false)
            let failures = Atomic<Int>(0)
            onThreads(3) { number in
                if number > 0 {
                    while !stop.load(ordering: .relaxed) {
                        if !Self.works(pool, Tally(items: 50), times: 5) { failures.add(1, ordering: .relaxed) }
                        if number == 2 { usleep(700) }
                    }
                    return
                }
                for _ in 0..<12 {
                    let tally = Tally(items: 50)
                    let result = try? Self.status {
                        guard Self.works(pool, tally, times: 10) else { return 3 }
                        return tally.workers.load(ordering: .relaxed) == 0 ? 0 : 4
                    }
                    if result != 0 { failures.add(1, ordering: .relaxed) }
                }
                stop.store(true, ordering: .relaxed)
            }
            #expect(failures.load(ordering: .relaxed) == 0)
            #expect(Self.works(pool, Tally(items: 50), times: 3))
        }

        /// A pool of the child's own has threads again, and one from before ends without its threads.
        @Test func childHasPoolsOfItsOwn() throws {
            var before: WorkerPool? = WorkerPool(threads: 3)
            #expect(Self.works(before!, Tally(items: 50), times: 1))
            let result = try Self.status {
                before = nil
                let pool = WorkerPool(threads: 2)
                let tally = Tally(items: 200)
                let done: ()? = try? pool.run(slow, tally.context, count: 200, grain: 1, threads: 2, scratchBytes: 0)
                return done != nil && tally.all(1) && tally.workers.load(ordering: .relaxed) > 0 ? 0 : 3
            }
            #expect(result == 0)
        }

        /// A fork within a job: the caller that comes back in the child is told, and does not wait for ever.
        @Test func forkWithinAJob() throws {
            final class Family: Sendable {
                let child = Atomic<Int>(-1)
                let inside = Atomic<Int>(0)
                let caller = pthread_self()
            }
            let pool = WorkerPool(threads: 2)
            let family = Family()
            let parent = getpid()
            let work: WorkerPool.Work = { context, _, _, _ in
                let family = Unmanaged<Family>.fromOpaque(context).takeUnretainedValue()
                family.inside.add(1, ordering: .sequentiallyConsistent)
                // Both threads are in the job before the caller forks, and the worker stays until it has.
                while family.inside.load(ordering: .sequentiallyConsistent) < 2 { sched_yield() }
                if pthread_equal(pthread_self(), family.caller) != 0 {
                    let child = unsafeBitCast(dlsym(nil, "fork")!, to: Fork.self)()
                    if child == 0 { alarm(20) }
                    family.child.store(Int(child), ordering: .sequentiallyConsistent)
                } else {
                    while family.child.load(ordering: .sequentiallyConsistent) < 0 { sched_yield() }
                }
            }
            let context = UnsafeRawPointer(Unmanaged.passUnretained(family).toOpaque())
            var told = false
            do {
                try pool.run(work, context, count: 2, grain: 1, threads: 2, scratchBytes: 64)
            } catch {
                told = error == .forked
            }
            if getpid() != parent { _exit(told && Self.works(pool, Tally(items: 50), times: 1) ? 0 : 3) }
            #expect(!told)
            var status: Int32 = 0
            while waitpid(pid_t(family.child.load(ordering: .relaxed)), &status, 0) < 0 && errno == EINTR {}
            #expect(status == 0)
        }
    }
#endif
