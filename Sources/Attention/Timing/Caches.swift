#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// What is known of the processor's caches.
package enum Caches {
    /// The size of the last-level caches of all sockets together; 32 MiB where the system does not tell.
    package static var lastLevelBytes: Int {
        var largest = 0
        for index in 0..<8 {
            let path = "/sys/devices/system/cpu/cpu0/cache/index\(index)/size"
            guard let file = fopen(path, "r") else { break }
            defer { fclose(file) }
            var buffer = [CChar](repeating: 0, count: 32)
            guard fgets(&buffer, Int32(buffer.count), file) != nil else { continue }
            let text = buffer.prefix { $0 != 0 && $0 != 10 }.map { Character(UnicodeScalar(UInt8(bitPattern: $0))) }
            let digits = Int(String(text.prefix { $0.isNumber })) ?? 0
            largest = max(largest, digits * (text.last == "M" ? 1 << 20 : text.last == "K" ? 1 << 10 : 1))
        }
        return largest > 0 ? largest : 32 << 20
    }
}
