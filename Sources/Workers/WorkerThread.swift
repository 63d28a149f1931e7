#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A started thread of a pool.
///
/// `@unchecked Sendable`: a `pthread_t` is an address or a number that any thread may use.
struct WorkerThread: @unchecked Sendable {
    private static let stackBytes = 1 << 20
    private let thread: pthread_t

    /// What the thread is given; it owns the core until it returns.
    private final class Start: Sendable {
        let core: PoolCore
        let number: Int
        init(core: PoolCore, number: Int) {
            self.core = core
            self.number = number
        }
    }

    /// Starts worker `number` of `core`; nil if the system refuses.
    init?(core: PoolCore, number: Int) {
        var attributes = pthread_attr_t()
        guard pthread_attr_init(&attributes) == 0 else { return nil }
        defer { pthread_attr_destroy(&attributes) }
        // A refusal leaves the platform's usual size.
        pthread_attr_setstacksize(&attributes, Self.stackBytes)
        let start = Unmanaged.passRetained(Start(core: core, number: number))
        #if canImport(Darwin)
            var made: pthread_t?
        #else
            var made = pthread_t()
        #endif
        // A thread begins with the mask of the one that starts it.
        var blocked = Self.signals
        var previous = sigset_t()
        pthread_sigmask(SIG_SETMASK, &blocked, &previous)
        let status = pthread_create(&made, &attributes, { Self.main($0) }, start.toOpaque())
        pthread_sigmask(SIG_SETMASK, &previous, nil)
        guard status == 0 else {
            start.release()
            return nil
        }
        #if canImport(Darwin)
            thread = made!
        #else
            thread = made
        #endif
    }

    /// Waits until the thread has returned; the thread itself cannot, and lets go instead.
    func join() {
        if pthread_equal(thread, pthread_self()) != 0 { pthread_detach(thread) } else { pthread_join(thread, nil) }
    }

    /// All but those that a fault of the thread itself raises: these end the process in any case, and a handler may still report.
    private static var signals: sigset_t {
        var set = sigset_t()
        sigfillset(&set)
        for fault in [SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS] { sigdelset(&set, fault) }
        return set
    }

    #if canImport(Darwin)
        private static func main(_ argument: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? { serve(argument) }
    #else
        private static func main(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
            serve(argument!)
        }
    #endif

    private static func serve(_ argument: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? {
        let start = Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
        name("attention-\(start.number)")
        start.core.serve(number: start.number)
        return nil
    }

    /// For debuggers and `top`. Linux keeps 15 characters, and Swift's import of the C library leaves the function out.
    private static func name(_ name: String) {
        #if canImport(Darwin)
            pthread_setname_np(name)
        #else
            typealias Function = @convention(c) (pthread_t, UnsafePointer<CChar>) -> Int32
            guard let symbol = dlsym(nil, "pthread_setname_np") else { return }
            _ = unsafeBitCast(symbol, to: Function.self)(pthread_self(), name)
        #endif
    }
}
