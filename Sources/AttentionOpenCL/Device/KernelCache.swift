import OpenCLRuntime

/// What this package keeps on disk about the kernels of this machine: programs that drivers compiled, verdicts of self-tests, and
/// tiles that searches found.
public struct KernelCache: Sendable {
    public typealias Kind = CacheEntryKind

    /// One kept file.
    public struct Entry: Hashable, Sendable {
        public let kind: Kind
        public let name: String
        public let byteCount: Int
        /// The device and options it was built for, a line each; empty if the file is damaged.
        public let key: String
        /// What a self-test found; `nil` for other kinds, and for a file that is not to be trusted.
        public let verdict: KernelVerdict?
        /// What a search found; `nil` likewise.
        public let tuning: KernelTuning?
        let device: DeviceKey?
    }

    /// A device with its driver.
    struct DeviceKey: Hashable, Sendable {
        let platform: String
        let name: String
        let driver: String
    }

    private let cache: ProgramCache

    init(cache: ProgramCache) { self.cache = cache }

    /// The cache that the environment names (`ATTEND_CACHE_DIR`), else the user's.
    public static var standard: KernelCache { KernelCache(cache: .standard()) }

    /// `nil` if the disk is left alone (`ATTEND_CACHE=off`).
    public var folder: String? { cache.folder }

    public func entries(_ kinds: Set<Kind> = Set(Kind.allCases)) -> [Entry] {
        ((try? cache.entries(kinds)) ?? []).map { entry in
            let payload = entry.kind == .program ? nil : entry.key.flatMap { try? cache.record(entry.kind, $0) }
            return Entry(
                kind: entry.kind, name: entry.file, byteCount: entry.byteCount, key: Self.text(entry.key),
                verdict: entry.kind == .verdict ? payload.flatMap { KernelVerdict($0) } : nil,
                tuning: entry.kind == .tuning ? payload.flatMap { KeptTuning($0)?.tuning } : nil,
                device: entry.key.map { DeviceKey(platform: $0.platform, name: $0.device, driver: $0.driver) })
        }
    }

    /// Verdicts about a device with its present driver, sorted by kernel.
    ///
    /// - Parameter driver: What ``OpenCLCandidate/limits`` has under `driver`.
    public func verdicts(platform: String, device: String, driver: String) -> [KernelVerdict] {
        let wanted = DeviceKey(platform: platform, name: device, driver: driver)
        return entries([.verdict]).filter { $0.device == wanted }.compactMap(\.verdict)
            .sorted { ($0.kernel, $0.outcome.rawValue, $0.reason) < ($1.kernel, $1.outcome.rawValue, $1.reason) }
    }

    /// Removes all entries, or those of some kinds, and gives their number.
    ///
    /// A folder that is not this user's alone is left as it is: nothing in it is ever used.
    public func clear(_ kinds: Set<Kind> = Set(Kind.allCases)) -> Int { (try? cache.clear(kinds)) ?? 0 }

    private static func text(_ key: CacheKey?) -> String {
        guard let key else { return "" }
        return "\(key.device)\n\(key.platform) \(key.platformVersion)\n\(key.driver)\n\(key.flags)"
    }
}
