import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Ctrl-C as a wish to stop: work that asks for it comes to an end by itself. The second one ends the program as ever.
struct Interruption {
    /// All that a signal handler may touch.
    private static let flag = Atomic<Bool>(false)

    init() {
        // Made now: a handler must not be the first to touch it.
        Self.flag.store(false, ordering: .relaxed)
        // Whoever started this process may have been a thread that blocks it.
        var set = sigset_t()
        sigemptyset(&set)
        sigaddset(&set, SIGINT)
        pthread_sigmask(SIG_UNBLOCK, &set, nil)
        signal(SIGINT) { number in
            Interruption.flag.store(true, ordering: .relaxed)
            signal(number, SIG_DFL)
        }
    }

    var hasCome: Bool { Self.flag.load(ordering: .relaxed) }
}
