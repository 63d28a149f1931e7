/// Everything a binary depends on. Sizes of memory are not in it: some drivers report what is free at the moment.
public struct CacheKey: Hashable, Sendable {
    public let platform: String
    public let platformVersion: String
    public let device: String
    public let deviceVersion: String
    public let driver: String
    /// The host's processor, for a CPU device; otherwise empty.
    public let host: String
    public let flags: String
    /// SHA-256 of the spliced source, in hexadecimal.
    public let source: String

    init(device: Device, options: BuildOptions, source: ProgramSource) {
        self.init(device: device, flags: options.flags, source: source.digest)
    }

    /// The key of a record that is not about one program alone.
    ///
    /// - Parameters:
    ///   - flags: What the record is about, beside device and driver.
    ///   - source: The digest of every text that it depends on.
    package init(device: Device, flags: String, source: SHA256Digest) {
        self.init(device: device, flags: flags, source: source.description)
    }

    private init(device: Device, flags: String, source: String) {
        platform = device.platform.name
        platformVersion = device.platform.version
        self.device = device.name
        deviceVersion = device.info.version.text
        driver = device.info.driverVersion
        host = device.info.type.contains(.cpu) ? HostProcessor.identity : ""
        self.flags = flags
        self.source = source
    }

    /// The key of a record that is about the device, whatever texts there are.
    package init(device: Device, about what: String) {
        self = CacheKey(device: device, flags: what, source: "")
    }

    /// The same device and driver with another program.
    package func replacing(flags: String, source: String) -> CacheKey {
        CacheKey(fields: [platform, platformVersion, device, deviceVersion, driver, host, flags, source])
    }

    private init(fields: [String]) {
        (platform, platformVersion, device, deviceVersion) = (fields[0], fields[1], fields[2], fields[3])
        (driver, host, flags, source) = (fields[4], fields[5], fields[6], fields[7])
    }

    /// Whether it tells this driver from others. What a query fails to give is empty.
    var isComplete: Bool {
        ![platform, platformVersion, device, deviceVersion, driver].contains("")
    }

    /// Each field with its length before it, so that no two keys have the same bytes.
    var bytes: [UInt8] {
        [platform, platformVersion, device, deviceVersion, driver, host, flags, source].flatMap { field in
            Self.littleEndian(UInt32(clamping: field.utf8.count)) + Array(field.utf8)
        }
    }

    init?(bytes: ArraySlice<UInt8>) {
        var fields: [String] = []
        var rest = bytes
        while !rest.isEmpty {
            guard rest.count >= 4 else { return nil }
            let length = Int(Self.number(rest.prefix(4)))
            rest = rest.dropFirst(4)
            guard rest.count >= length else { return nil }
            fields.append(String(decoding: rest.prefix(length), as: UTF8.self))
            rest = rest.dropFirst(length)
        }
        guard fields.count == 8 else { return nil }
        self.init(fields: fields)
    }

    /// The name of the file in the folder.
    func fileName(_ kind: CacheEntryKind) -> String { SHA256.digest(of: bytes).description + kind.suffix }

    static func littleEndian<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
        withUnsafeBytes(of: number.littleEndian) { Array($0) }
    }

    static func number(_ bytes: some Collection<UInt8>) -> UInt64 {
        bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
}
