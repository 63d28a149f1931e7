#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// How many processors this process may use: the smallest of what its affinity mask, and the quota of its control group and of
/// every group around that one, leave of the machine.
///
/// What cannot be read, or not understood, limits nothing.
struct ProcessorCount {
    /// Processors in the affinity mask of the calling thread; nil if the platform does not say.
    var affinity: Int?
    /// Processors that the machine has online.
    var online: Int
    /// The text of a file; nil if there is none.
    var text: (_ path: String) -> String?

    /// The count of this process, read afresh.
    static func current() -> Int {
        let machine = ProcessorCount(
            affinity: affinityCount(), online: Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))), text: textOfFile)
        return machine.count
    }

    var count: Int {
        var least = online > 0 ? online : 1
        if let affinity = affinity ?? allowedInStatus, affinity > 0 {
            // The mask may name more than are online, and `online` may be a guess of the C library: the mask alone is exact.
            least = online > 0 ? min(affinity, online) : affinity
        }
        for quota in quotas { least = min(least, quota) }
        return max(least, 1)
    }

    /// `Cpus_allowed_list` of the calling thread, such as "0-3,8".
    private var allowedInStatus: Int? {
        guard let status = text("/proc/thread-self/status") ?? text("/proc/self/status") else { return nil }
        for line in status.split(separator: "\n") where line.hasPrefix("Cpus_allowed_list:") {
            var sum = 0
            for range in line.dropFirst("Cpus_allowed_list:".count).split(whereSeparator: { ", \t".contains($0) }) {
                let ends = range.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
                guard (1...2).contains(ends.count), let first = ends[0], let last = ends[ends.count - 1],
                    first >= 0, last >= first, last < 1 << 20
                else { return nil }
                sum += last - first + 1
            }
            return sum
        }
        return nil
    }

    /// Whole processors, rounded up, of every quota that binds this process.
    private var quotas: [Int] {
        guard let groups = text("/proc/self/cgroup") else { return [] }
        var found: [Int] = []
        for line in groups.split(separator: "\n") {
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { continue }
            if fields[0] == "0" && fields[1].isEmpty {
                for mount in ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"] {
                    found += Self.ancestry(of: fields[2]).compactMap { unifiedQuota(in: mount + $0) }
                }
            } else if fields[1].split(separator: ",").contains("cpu") {
                for mount in Set(["/sys/fs/cgroup/cpu", "/sys/fs/cgroup/" + fields[1]]) {
                    found += Self.ancestry(of: fields[2]).compactMap { legacyQuota(in: mount + $0) }
                }
            }
        }
        return found
    }

    /// A group's path, and those of the groups around it, down to the root, which is "". In a container the path may be the
    /// host's, of which only the root exists here: that is then the container's own group.
    private static func ancestry(of path: Substring) -> [String] {
        let parts = path.split(separator: "/")
        guard !parts.contains("..") else { return [""] }
        return (0...parts.count).reversed().map { parts.prefix($0).map { "/" + $0 }.joined() }
    }

    /// Version 2: "200000 100000" are 200 of every 100 ms, "max 100000" no limit.
    private func unifiedQuota(in folder: String) -> Int? {
        guard let fields = text(folder + "/cpu.max")?.split(whereSeparator: \.isWhitespace), fields.count == 2 else {
            return nil
        }
        return Self.processors(quota: fields[0], period: fields[1])
    }

    /// Version 1: the same in two files, with -1 for no limit.
    private func legacyQuota(in folder: String) -> Int? {
        guard let quota = text(folder + "/cpu.cfs_quota_us")?.split(whereSeparator: \.isWhitespace), quota.count == 1,
            let period = text(folder + "/cpu.cfs_period_us")?.split(whereSeparator: \.isWhitespace), period.count == 1
        else { return nil }
        return Self.processors(quota: quota[0], period: period[0])
    }

    private static func processors(quota: Substring, period: Substring) -> Int? {
        guard let quota = Int(quota), let period = Int(period), quota > 0, period > 0 else { return nil }
        return (quota - 1) / period + 1
    }

    /// Bits in the affinity mask. The function is looked up by name, as Swift's import of the C library leaves it out.
    private static func affinityCount() -> Int? {
        #if os(Linux)
            typealias Function = @convention(c) (pid_t, Int, UnsafeMutableRawPointer) -> Int32
            guard let symbol = dlsym(nil, "sched_getaffinity") else { return nil }
            // The kernel refuses a mask shorter than its own: 8192 processors are more than it can be built for.
            var mask = [UInt64](repeating: 0, count: 128)
            let status = mask.withUnsafeMutableBytes { bytes in
                unsafeBitCast(symbol, to: Function.self)(0, bytes.count, bytes.baseAddress!)
            }
            return status == 0 ? mask.reduce(0) { $0 + $1.nonzeroBitCount } : nil
        #else
            return nil
        #endif
    }

    private static func textOfFile(_ path: String) -> String? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 64 << 10)
        var length = 0
        while length < bytes.count {
            let got = bytes.withUnsafeMutableBytes { read(file, $0.baseAddress! + length, $0.count - length) }
            if got < 0 && errno == EINTR { continue }
            guard got > 0 else { break }
            length += got
        }
        return length > 0 ? String(decoding: bytes[..<length], as: UTF8.self) : nil
    }
}
