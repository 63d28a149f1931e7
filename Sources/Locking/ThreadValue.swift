#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// An object that each thread has its own of, for as long as a call runs.
///
/// Where the system has no more room for such values, no thread has one.
public final class ThreadValue<Value: AnyObject>: Sendable {
    private let key: pthread_key_t?

    public init() {
        var created = pthread_key_t()
        key = pthread_key_create(&created, nil) == 0 ? created : nil
    }

    deinit { if let key { pthread_key_delete(key) } }

    /// That of the calling thread.
    public var current: Value? {
        guard let key, let pointer = pthread_getspecific(key) else { return nil }
        return Unmanaged<Value>.fromOpaque(pointer).takeUnretainedValue()
    }

    /// Runs `body` with `value` as that of the calling thread, which has the one it had before afterwards.
    public func with<Result, Failure: Error>(
        _ value: Value, _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        guard let key else { return try body() }
        let before = pthread_getspecific(key)
        pthread_setspecific(key, Unmanaged.passUnretained(value).toOpaque())
        defer {
            pthread_setspecific(key, before)
            withExtendedLifetime(value) {}
        }
        return try body()
    }
}
