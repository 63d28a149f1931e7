import OpenCLRuntime

/// Programs that the drivers of this machine compiled for this package, kept on disk.
public struct KernelCache: Sendable {
    /// One kept program.
    public struct Entry: Hashable, Sendable {
        public let name: String
        public let byteCount: Int
        /// The device and options it was built for, a line each; empty if the file is damaged.
        public let key: String
    }

    private let cache: ProgramCache

    /// The cache that the environment names (`ATTEND_CACHE_DIR`), else the user's.
    public static var standard: KernelCache { KernelCache(cache: .standard()) }

    /// `nil` if the disk is left alone (`ATTEND_CACHE=off`).
    public var folder: String? { cache.folder }

    public func entries() -> [Entry] {
        ((try? cache.entries()) ?? []).map { Entry(name: $0.file, byteCount: $0.byteCount, key: Self.text($0.key)) }
    }

    /// Removes all entries, and gives their number.
    ///
    /// A folder that is not this user's alone is left as it is: nothing in it is ever used.
    public func clear() -> Int { (try? cache.clear()) ?? 0 }

    private static func text(_ key: CacheKey?) -> String {
        guard let key else { return "" }
        return "\(key.device)\n\(key.platform) \(key.platformVersion)\n\(key.driver)\n\(key.flags)"
    }
}
