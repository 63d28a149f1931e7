import Locking

/// Lets each driver build one program at a time.
///
/// OpenCL allows more, but Intel's runtime 2026.22 has been seen in an endless loop in its optimiser when eight contexts built at once:
/// a thread that waits for its own build takes up another's in the middle of it. PoCL takes turns by itself.
enum BuildTurn {
    /// By platform, whatever loader found it. A compiler that hangs holds up its own driver alone.
    private static let turns = Guarded<[OpaquePointer: Guarded<Void>]>([:])

    /// Callers have checked that the process is not a forked child, which could inherit a lock held.
    static func wait<Result>(for platform: Platform, _ body: () -> Result) -> Result {
        let turn = turns.withLock { turns in
            if let turn = turns[platform.id] { return turn }
            let turn = Guarded(())
            turns[platform.id] = turn
            return turn
        }
        return turn.withLock { _ in body() }
    }
}
