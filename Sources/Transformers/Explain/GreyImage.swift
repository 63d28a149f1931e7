/// A picture of grey values of 4 bits, as PNG (ISO/IEC 15948).
enum GreyImage {
    /// The largest value, which is white.
    static let white = 15

    /// - Parameters:
    ///   - values: from 0 to ``white``, row by row.
    ///   - width: of a row.
    static func png(_ values: [UInt8], width: Int) -> [UInt8] {
        guard width > 0 else { return [] }
        let height = values.count / width
        var rows: [UInt8] = []
        rows.reserveCapacity(height * (width / 2 + 2))
        for row in 0..<height {
            // Each row as it is: no filter.
            rows.append(0)
            for column in stride(from: 0, to: width, by: 2) {
                let first = values[row * width + column]
                let second = column + 1 < width ? values[row * width + column + 1] : 0
                rows.append(first << 4 | second)
            }
        }
        // 4 bits of grey, not interlaced.
        let header = bigEndian(UInt32(clamping: width)) + bigEndian(UInt32(clamping: height)) + [4, 0, 0, 0, 0]
        let body = [0x78, 0x01] + Deflate.compressed(rows) + bigEndian(adler32(rows))
        return [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
            + chunk("IHDR", header) + chunk("IDAT", body) + chunk("IEND", [])
    }

    private static func chunk(_ type: String, _ content: [UInt8]) -> [UInt8] {
        let named = Array(type.utf8) + content
        return bigEndian(UInt32(clamping: content.count)) + named + bigEndian(crc32(named))
    }

    private static func bigEndian(_ value: UInt32) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
    }

    private static let remainders: [UInt32] = (0..<256).map { start in
        (0..<8).reduce(UInt32(start)) { rest, _ in rest & 1 == 1 ? 0xEDB8_8320 ^ rest >> 1 : rest >> 1 }
    }

    private static func crc32(_ bytes: [UInt8]) -> UInt32 {
        ~bytes.reduce(~0) { remainders[Int(UInt8(truncatingIfNeeded: $0) ^ $1)] ^ $0 >> 8 }
    }

    private static func adler32(_ bytes: [UInt8]) -> UInt32 {
        var (low, high): (UInt32, UInt32) = (1, 0)
        for byte in bytes {
            low = (low + UInt32(byte)) % 65521
            high = (high + low) % 65521
        }
        return high << 16 | low
    }
}
