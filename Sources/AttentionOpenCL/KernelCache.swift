import OpenCLRuntime

/// Compiled kernels on disk, as people look at them.
public enum KernelCache {
    /// One file.
    public struct Entry: Hashable, Sendable {
        public let name: String
        public let byteCount: Int
        /// What it was built for and from; empty if the file is damaged.
        public let key: String
    }

    /// Where the files are; `nil` if the environment has switched the cache off.
    public static var folder: String? { ProgramCache.standard.folder }

    /// The files there are.
    public static func entries() -> [Entry] {
        ProgramCache.standard.entries().map { Entry(name: $0.name, byteCount: $0.byteCount, key: $0.key) }
    }

    /// Removes them all, and gives their number.
    public static func clear() -> Int { ProgramCache.standard.clear() }
}
