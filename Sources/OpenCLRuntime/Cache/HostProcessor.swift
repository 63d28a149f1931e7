#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// What the host's processor can do, in a few bytes: a binary for a CPU device runs only where its instructions exist,
/// and some drivers name a device no closer than its brand, while a home folder may serve many machines.
enum HostProcessor {
    /// Empty where the system does not tell.
    static let identity: String = {
        let description = describe()
        return description.isEmpty ? "" : String(SHA256.digest(of: description).description.prefix(16))
    }()

    #if canImport(Darwin)
        private static func describe() -> String {
            var size = 0
            guard sysctlbyname("machdep.cpu.brand_string", nil, &size, nil, 0) == 0 else { return "" }
            var bytes = [UInt8](repeating: 0, count: size)
            guard sysctlbyname("machdep.cpu.brand_string", &bytes, &size, nil, 0) == 0 else { return "" }
            return text(bytes)
        }
    #else
        private static func describe() -> String {
            let file = open("/proc/cpuinfo", O_RDONLY | O_CLOEXEC)
            guard file >= 0 else { return "" }
            defer { close(file) }
            // The first processor's paragraph is enough, and it is well within this.
            var bytes = [UInt8](repeating: 0, count: 16 << 10)
            var filled = 0
            while filled < bytes.count {
                let count = bytes.withUnsafeMutableBytes { read(file, $0.baseAddress! + filled, $0.count - filled) }
                if count <= 0 { break }
                filled += count
            }
            let wanted = ["model name", "flags", "Features", "CPU implementer", "CPU part", "isa"]
            let lines = String(decoding: bytes.prefix(filled), as: UTF8.self).split(separator: "\n")
            return wanted.compactMap { name in lines.first { $0.hasPrefix(name) } }.joined(separator: "\n")
        }
    #endif
}
