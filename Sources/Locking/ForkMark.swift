#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif
import Synchronization

/// How often this process has been the child of a fork since the first mark was made.
private let forks = Atomic<Int>(0)

private let watchesForks: Bool = {
    // Read once here, so that the handler finds the counter made.
    _ = forks.load(ordering: .relaxed)
    return pthread_atfork(nil, nil, { forks.add(1, ordering: .sequentiallyConsistent) }) == 0
}()

/// Tells a process that began as the fork of another from the one that made something: the other threads are missing in the child, and
/// locks that they held at that moment are held for ever.
public struct ForkMark: Sendable, Equatable {
    private let count: Int

    /// Remembers this process.
    public init() {
        _ = watchesForks
        count = forks.load(ordering: .relaxed)
    }

    /// True in a child of the process in which the mark was made. Costs a load.
    public var isChild: Bool { forks.load(ordering: .relaxed) != count }
}
