/// The form of one cached file, a binary or a record about one:
///
///     magic     8 bytes
///     version   UInt32, little-endian as the rest
///     keyBytes  UInt32
///     payload   UInt64, its length
///     key       as `CacheKey.bytes`
///     payload   as the driver gave it, or the record's own
///     digest    SHA-256 of everything before
enum CacheFile {
    static let magic = Array("SWATTNCL".utf8)
    static let version: UInt32 = 1
    static let headerBytes = 24
    static let digestBytes = 32
    /// The largest file written or read, in bytes.
    static let sizeLimit = 64 << 20

    static func encode(key: CacheKey, payload: [UInt8]) -> [UInt8] {
        let keyBytes = key.bytes
        var file: [UInt8] = []
        file.reserveCapacity(headerBytes + keyBytes.count + payload.count + digestBytes)
        file += magic
        file += CacheKey.littleEndian(version)
        file += CacheKey.littleEndian(UInt32(clamping: keyBytes.count))
        file += CacheKey.littleEndian(UInt64(payload.count))
        file += keyBytes
        file += payload
        file += SHA256.digest(of: file).bytes
        return file
    }

    /// The payload of a file that is whole, unchanged and of `key`.
    static func decode(_ file: [UInt8], key: CacheKey) throws(CacheProblem) -> [UInt8] {
        let (stored, payload) = try split(file)
        // The digest first: until it holds, nothing in the file means anything.
        let body = file.dropLast(digestBytes)
        guard SHA256.digest(of: body).bytes.elementsEqual(file.suffix(digestBytes)) else { throw .badDigest }
        guard stored.elementsEqual(key.bytes) else { throw .wrongKey }
        return Array(payload)
    }

    /// The key of a file, for listing. The digest is not looked at.
    static func key(_ file: [UInt8]) -> CacheKey? {
        guard file.count >= headerBytes, Array(file.prefix(8)) == magic else { return nil }
        guard CacheKey.number(file[8..<12]) == UInt64(version) else { return nil }
        let end = headerBytes + Int(CacheKey.number(file[12..<16]))
        return end <= file.count ? CacheKey(bytes: file[headerBytes..<end]) : nil
    }

    private static func split(
        _ file: [UInt8]
    ) throws(CacheProblem) -> (key: ArraySlice<UInt8>, payload: ArraySlice<UInt8>) {
        guard file.count >= headerBytes + digestBytes else { throw .truncated }
        guard Array(file.prefix(8)) == magic, CacheKey.number(file[8..<12]) == UInt64(version) else {
            throw .unknownFormat
        }
        let keyBytes = Int(CacheKey.number(file[12..<16]))
        let payloadBytes = CacheKey.number(file[16..<24])
        guard payloadBytes <= UInt64(sizeLimit) else { throw .tooLarge(bytes: Int(clamping: payloadBytes)) }
        let end = headerBytes + keyBytes + Int(payloadBytes)
        guard file.count >= end + digestBytes else { throw .truncated }
        guard file.count == end + digestBytes else { throw .unknownFormat }
        return (file[headerBytes..<headerBytes + keyBytes], file[headerBytes + keyBytes..<end])
    }
}
