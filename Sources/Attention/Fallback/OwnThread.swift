#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A thread for one piece of work. Those of Dispatch are shared and limited: a few that never come back would stop everybody.
enum OwnThread {
    /// What a compiler inside a driver may need; some systems give new threads much less.
    private static let stackBytes = 8 << 20

    /// Starts `body` on a new thread. False if the system refuses: nothing runs then.
    static func run(_ body: @escaping @Sendable () -> Void) -> Bool {
        let work = Unmanaged.passRetained(ThreadWork(body))
        let hasBegun = start(work.toOpaque())
        if !hasBegun { work.release() }
        return hasBegun
    }

    private static func start(_ work: UnsafeMutableRawPointer) -> Bool {
        var attributes = pthread_attr_t()
        guard pthread_attr_init(&attributes) == 0 else { return false }
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setstacksize(&attributes, stackBytes)
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        #if canImport(Darwin)
            var thread: pthread_t?
            return pthread_create(&thread, &attributes, { beginThread($0) }, work) == 0
        #else
            // By name: Swift 6.3.1 crashes on a closure that is handed over here.
            var thread = pthread_t()
            return pthread_create(&thread, &attributes, beginThread, work) == 0
        #endif
    }
}

private func beginThread(_ work: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    if let work { Unmanaged<ThreadWork>.fromOpaque(work).takeRetainedValue().body() }
    return nil
}

private final class ThreadWork: Sendable {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
}
