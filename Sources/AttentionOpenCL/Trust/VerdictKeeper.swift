import Locking
import OpenCLRuntime

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Keeps verdicts in memory and beside the programs on disk, under the programs' own keys: another driver, processor, option or
/// text is another verdict.
struct VerdictKeeper: Sendable {
    private struct Key: Hashable {
        let folder: String
        let program: CacheKey
    }

    /// One memory for all backends of the process: where nothing is kept on disk, each would test anew.
    private static let known = Guarded<[Key: KernelVerdict]>([:])

    private let cache: ProgramCache

    init(_ cache: ProgramCache) { self.cache = cache }

    /// Whether what is kept outlives the process.
    var isOnDisk: Bool { cache.folder != nil }

    func verdict(_ program: CacheKey) -> KernelVerdict? {
        let key = Key(folder: cache.folder ?? "", program: program)
        if let verdict = Self.known.withLock({ $0[key] }) { return verdict }
        // A file that is damaged, foreign or not private is as good as none.
        guard let payload = try? cache.record(.verdict, program), let verdict = KernelVerdict(payload) else {
            return nil
        }
        if verdict.outcome != .started { Self.known.withLock { $0[key] = verdict } }
        return verdict
    }

    func keep(_ verdict: KernelVerdict, _ program: CacheKey) {
        let key = Key(folder: cache.folder ?? "", program: program)
        if verdict.outcome != .started { Self.known.withLock { $0[key] = verdict } }
        try? cache.keep(verdict.payload, .verdict, program)
    }

    /// Forgets what is in memory: for tests, as a new process would.
    static func forget() { known.withLock { $0 = [:] } }
}

extension KernelVerdict {
    /// Whether the process that was at it is still there.
    var isUnderTest: Bool {
        outcome == .started && process > 0 && (kill(process, 0) == 0 || errno == EPERM)
    }
}
