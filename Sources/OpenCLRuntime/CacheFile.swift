/// The form of one cached program: mark, key, binary, and the SHA-256 of all that.
struct CacheFile {
    static let suffix = ".program"
    /// No program of ours comes near; a larger file is damaged or foreign.
    static let limit = 256 << 20
    private static let mark = Array("attend program 1\n".utf8)

    /// All that decides what the driver makes of the text. Memory sizes are not part of it: drivers report what is free.
    let key: String

    init(source: SourceText, options: BuildOptions, device: DeviceInfo) {
        key = [
            device.platformName, device.platformVersion, device.name, device.driverVersion, device.version,
            options.description, SHA256.hexDigest(source.text.utf8),
        ].joined(separator: "\n")
    }

    var name: String { SHA256.hexDigest(key.utf8) + Self.suffix }

    func bytes(_ binary: [UInt8]) -> [UInt8] {
        var bytes = Self.mark
        for part in [Array(key.utf8), binary] {
            for shift in stride(from: 0, to: 64, by: 8) { bytes.append(UInt8(truncatingIfNeeded: part.count >> shift)) }
            bytes += part
        }
        return bytes + SHA256.digest(bytes)
    }

    /// The binary in a file's bytes, if nothing is off.
    func binary(in bytes: [UInt8]) -> Result<[UInt8], OpenCLError> {
        guard let (key, binary) = Self.parts(bytes) else { return .failure(.invalidArgument("\(name) is damaged")) }
        guard key == self.key else { return .failure(.invalidArgument("\(name) is for something else")) }
        return .success(Array(binary))
    }

    /// What an intact file was built for and from.
    static func key(in bytes: [UInt8]) -> String? { parts(bytes)?.key }

    private static func parts(_ bytes: [UInt8]) -> (key: String, binary: ArraySlice<UInt8>)? {
        guard bytes.count > mark.count + 48, bytes.starts(with: mark) else { return nil }
        let body = bytes.dropLast(32)
        guard SHA256.digest(body).elementsEqual(bytes.suffix(32)) else { return nil }
        var rest = body.dropFirst(mark.count)
        func part() -> ArraySlice<UInt8>? {
            guard rest.count >= 8 else { return nil }
            let count = rest.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            rest = rest.dropFirst(8)
            guard count <= UInt64(rest.count) else { return nil }
            defer { rest = rest.dropFirst(Int(count)) }
            return rest.prefix(Int(count))
        }
        guard let key = part(), let binary = part(), rest.isEmpty else { return nil }
        return (String(decoding: key, as: UTF8.self), binary)
    }
}
