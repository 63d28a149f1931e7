#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif
import Synchronization

@testable import Workers

/// Runs `body` on `count` threads at once, and returns when all have.
func onThreads(_ count: Int, _ body: @escaping @Sendable (_ number: Int) -> Void) {
    final class Start: Sendable {
        let number: Int
        let body: @Sendable (Int) -> Void
        init(_ number: Int, _ body: @escaping @Sendable (Int) -> Void) {
            self.number = number
            self.body = body
        }
    }
    var threads: [pthread_t] = []
    for number in 0..<count {
        #if canImport(Darwin)
            var thread: pthread_t?
        #else
            var thread = pthread_t()
        #endif
        let start = Unmanaged.passRetained(Start(number, body))
        let status = pthread_create(
            &thread, nil,
            { argument in
                let argument: UnsafeMutableRawPointer? = argument
                let start = Unmanaged<Start>.fromOpaque(argument!).takeRetainedValue()
                start.body(start.number)
                return nil
            }, start.toOpaque())
        precondition(status == 0)
        #if canImport(Darwin)
            threads.append(thread!)
        #else
            threads.append(thread)
        #endif
    }
    for thread in threads { pthread_join(thread, nil) }
}

/// What a test's job counts. Its address is the job's context; it lives as long as the test holds it.
///
/// `@unchecked Sendable`: the table never moves, and its elements are atomic.
final class Tally: @unchecked Sendable {
    let count: Int
    let items: UnsafeMutablePointer<Atomic<Int>>
    /// Threads in the work now, and at most.
    let running = Atomic<Int>(0)
    let most = Atomic<Int>(0)
    let faults = Atomic<Int>(0)
    let workers = Atomic<Int>(0)
    let caller = pthread_self()
    let pool: WorkerPool?
    /// How many threads `meeting` waits for.
    let expected: Int

    init(items count: Int, pool: WorkerPool? = nil, expected: Int = 1) {
        self.count = count
        self.expected = expected
        self.pool = pool
        items = .allocate(capacity: max(count, 1))
        for index in 0..<count { (items + index).initialize(to: Atomic(0)) }
    }

    deinit {
        items.deinitialize(count: count)
        items.deallocate()
    }

    var context: UnsafeRawPointer { UnsafeRawPointer(Unmanaged.passUnretained(self).toOpaque()) }
    static func at(_ context: UnsafeRawPointer) -> Tally { Unmanaged.fromOpaque(context).takeUnretainedValue() }

    /// Every item has been done so many times.
    func all(_ times: Int) -> Bool {
        (0..<count).allSatisfy { items[$0].load(ordering: .relaxed) == times }
    }

    func enter(_ first: Int, _ last: Int) {
        let now = running.add(1, ordering: .relaxed).newValue
        most.max(now, ordering: .relaxed)
        if first < 0 || last <= first || last > count { faults.add(1, ordering: .relaxed) }
        for item in max(first, 0)..<min(last, count) { items[item].add(1, ordering: .relaxed) }
        if pthread_equal(pthread_self(), caller) == 0 { workers.add(1, ordering: .relaxed) }
    }

    func leave() { running.subtract(1, ordering: .relaxed) }
}

/// Work that only counts.
let counting: WorkerPool.Work = { context, first, last, _ in
    let tally = Tally.at(context)
    tally.enter(first, last)
    tally.leave()
}

/// Work that goes on when so many threads as expected have been in it at once, or 20 s are over, and then leaves more the time to
/// come in.
let meeting: WorkerPool.Work = { context, first, last, _ in
    let tally = Tally.at(context)
    tally.enter(first, last)
    var waits = 0
    while tally.most.load(ordering: .relaxed) < tally.expected && waits < 200_000 {
        usleep(100)
        waits += 1
    }
    usleep(200)
    tally.leave()
}

/// Work that takes long enough for others to join.
let slow: WorkerPool.Work = { context, first, last, _ in
    let tally = Tally.at(context)
    tally.enter(first, last)
    usleep(200)
    tally.leave()
}
