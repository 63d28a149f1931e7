#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A value that one thread at a time may touch.
///
/// The standard library's `Mutex` waits in ways that the thread sanitizer does not see, so that it reports every value behind one
/// as a race; this is a POSIX mutex, which it does see.
///
/// `@unchecked Sendable`: the value is touched between lock and unlock only.
public final class Guarded<Value>: @unchecked Sendable {
    /// Never without bytes: an empty value would share its address with the object, and the thread sanitizer takes one for the other.
    private struct Slot {
        var value: Value
        let filler: UInt8 = 0
    }

    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private var slot: Slot

    public init(_ value: sending Value) {
        slot = Slot(value: value)
        mutex = .allocate(capacity: 1)
        mutex.initialize(to: pthread_mutex_t())
        pthread_mutex_init(mutex, nil)
    }

    deinit {
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
    }

    /// Runs `body` with the value, which must not leave it. Taking the same lock within `body` waits for ever.
    public func withLock<Result, Failure: Error>(
        _ body: (inout Value) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body(&slot.value)
    }
}
