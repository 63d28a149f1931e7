#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif
import SpinHint

/// A bounded wait without sleep.
struct Spin {
    private let nanoseconds: UInt64
    private var polls = 0
    private var deadline: UInt64 = 0

    /// `nanoseconds` of time to spend, none if 0.
    init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

    /// Waits a moment; false when the time is spent.
    mutating func again() -> Bool {
        guard nanoseconds > 0 else { return false }
        spin_hint()
        polls += 1
        // The clock costs as much as a pause or two.
        guard polls % 32 == 0 else { return true }
        let time = Self.now
        if deadline == 0 { deadline = time + nanoseconds }
        // Who is waited for, or has better things to do, may have been put on this very processor.
        if deadline &- time < nanoseconds - nanoseconds / 8 { sched_yield() }
        return time < deadline
    }

    private static var now: UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}

/// Where threads sleep until something has changed: a mutex and a condition.
///
/// A struct of two addresses, so that a table of them costs no reference counting. `@unchecked Sendable`: the addresses never
/// change, and what they point to is made for many threads.
struct Bed: @unchecked Sendable {
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>

    init() {
        mutex = .allocate(capacity: 1)
        mutex.initialize(to: pthread_mutex_t())
        pthread_mutex_init(mutex, nil)
        condition = .allocate(capacity: 1)
        condition.initialize(to: pthread_cond_t())
        pthread_cond_init(condition, nil)
    }

    /// Nobody may sleep there any more.
    func destroy() {
        pthread_cond_destroy(condition)
        condition.deallocate()
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
    }

    func lock() { pthread_mutex_lock(mutex) }
    func unlock() { pthread_mutex_unlock(mutex) }
    /// Sleeps, with the lock given up meanwhile; may end for no reason.
    func sleep() { pthread_cond_wait(condition, mutex) }
    func wakeOne() { pthread_cond_signal(condition) }
    func wakeAll() { pthread_cond_broadcast(condition) }
}
