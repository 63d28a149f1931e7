import Synchronization

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// Builds each program once: once in a context, and once on a machine, since binaries are kept on disk.
///
/// The folder is private to the user, and no byte of a file reaches a driver before owner, mode, key and SHA-256 are
/// checked, because a driver runs whatever it is given and crashes on what is not its own. Whatever is wrong with the
/// cache, the program is compiled and the reason is told; the cache never makes a build fail.
public final class ProgramCache: Sendable {
    /// Names the folder.
    public static let folderVariable = "ATTEND_CACHE_DIR"
    /// `off` keeps everything in memory.
    public static let switchVariable = "ATTEND_CACHE"

    /// One file on disk.
    public struct Entry: Hashable, Sendable {
        public let kind: CacheEntryKind
        /// What it was built from and for, or is about; nil for a file that cannot be read.
        public let key: CacheKey?
        /// The file's name in ``ProgramCache/folder``.
        public let file: String
        /// The file's size.
        public let byteCount: Int

        public var device: String { key?.device ?? "" }
    }

    /// Where binaries are kept, or nil for nowhere.
    public let folder: String?
    private let absence: CacheProblem

    /// - Parameter folder: A path; the folder is made when the first binary is written. Nil keeps programs in memory only.
    public init(folder: String?) {
        self.folder = folder.flatMap { $0.isEmpty ? nil : $0 }
        absence = .off
    }

    private init(absence: CacheProblem) {
        folder = nil
        self.absence = absence
    }

    /// The user's cache: `ATTEND_CACHE_DIR`, else `swift-attention` in `XDG_CACHE_HOME`, else in `~/.cache`
    /// (`~/Library/Caches` on macOS); none where `ATTEND_CACHE` is `off`.
    public static func standard() -> ProgramCache {
        standard { name in getenv(name).map { String(cString: $0) } }
    }

    package static func standard(environment: (String) -> String?) -> ProgramCache {
        func value(_ name: String) -> String? { environment(name).flatMap { $0.isEmpty ? nil : $0 } }
        if value(switchVariable)?.lowercased() == "off" { return ProgramCache(absence: .off) }
        if let path = value(folderVariable) { return ProgramCache(folder: path) }
        // A relative path there is invalid, says the XDG specification.
        if let base = value("XDG_CACHE_HOME"), base.hasPrefix("/") {
            return ProgramCache(folder: base + "/swift-attention")
        }
        guard let home = value("HOME"), home.hasPrefix("/") else { return ProgramCache(absence: .noFolder) }
        #if canImport(Darwin)
            return ProgramCache(folder: home + "/Library/Caches/swift-attention")
        #else
            return ProgramCache(folder: home + "/.cache/swift-attention")
        #endif
    }

    /// The program for `source` and `options` in `context`: the same object whenever the same is asked for again.
    ///
    /// Threads that ask for the same program at once wait for one of them to build it.
    ///
    /// - Throws: ``OpenCLError/buildFailed(status:program:device:flags:log:)``, or another driver's failure. A failure is
    ///   not remembered.
    public func program(
        _ source: ProgramSource, options: BuildOptions = .standard, in context: Context
    ) throws(OpenCLError) -> (program: Program, outcome: BuildOutcome) {
        try context.library.checkProcess()
        return try context.programs.program(source, options) { () throws(OpenCLError) in
            try self.load(source, options, context)
        }
    }

    private func load(
        _ source: ProgramSource, _ options: BuildOptions, _ context: Context
    ) throws(OpenCLError) -> (Program, BuildOutcome) {
        let key = CacheKey(device: context.device, options: options, source: source)
        let miss: CacheProblem
        do throws(CacheProblem) {
            return (try stored(key, source, options, context), .cached)
        } catch {
            miss = error
        }
        let program = try Program.build(source, options: options, in: context)
        do throws(CacheProblem) {
            try store(program, key)
            return (program, .compiled(reason: miss, notStored: nil))
        } catch {
            return (program, .compiled(reason: miss, notStored: error))
        }
    }

    private func stored(
        _ key: CacheKey, _ source: ProgramSource, _ options: BuildOptions, _ context: Context
    ) throws(CacheProblem) -> Program {
        let payload = try record(.program, key)
        do throws(OpenCLError) {
            return try Program.load(binary: payload, name: source.name, options: options, in: context)
        } catch {
            throw .refused(by: error.description)
        }
    }

    private func store(_ program: Program, _ key: CacheKey) throws(CacheProblem) {
        // A cache that is off needs no binary.
        _ = try opened(key)
        let binary: [UInt8]
        do throws(OpenCLError) { binary = try program.binary() } catch { throw .noBinary }
        guard !binary.isEmpty else { throw .noBinary }
        guard binary.count <= CacheFile.sizeLimit - (1 << 16) else { throw .tooLarge(bytes: binary.count) }
        try keep(binary, .program, key)
    }

    /// The folder, for files whose key says all that they depend on.
    func opened(_ key: CacheKey) throws(CacheProblem) -> String {
        guard let folder else { throw absence }
        guard key.isComplete else { throw .namelessDriver }
        return folder
    }
}
