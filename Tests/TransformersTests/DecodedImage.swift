/// A PNG of grey values of 4 bits, read by the standards' words: ISO/IEC 15948, RFC 1950 and 1951 with fixed codes.
struct DecodedImage {
    struct Broken: Error { let what: String }

    private(set) var width = 0
    private(set) var height = 0
    private(set) var values: [UInt8] = []

    init(_ bytes: [UInt8]) throws {
        guard bytes.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) else {
            throw Broken(what: "signature")
        }
        var (place, types, compressed): (Int, [String], [UInt8]) = (8, [], [])
        while place < bytes.count {
            let length = try Self.number(bytes, place)
            guard place + 12 + length <= bytes.count else { throw Broken(what: "length") }
            let named = Array(bytes[place + 4..<place + 8 + length])
            guard try Self.number(bytes, place + 8 + length) == Self.crc(named) else { throw Broken(what: "crc") }
            types.append(String(decoding: named.prefix(4), as: UTF8.self))
            let content = Array(named.dropFirst(4))
            switch types.last {
            case "IHDR":
                (width, height) = (try Self.number(content, 0), try Self.number(content, 4))
                guard content.dropFirst(8) == [4, 0, 0, 0, 0] else { throw Broken(what: "header") }
            case "IDAT": compressed += content
            default: break
            }
            place += 12 + length
        }
        guard types == ["IHDR", "IDAT", "IEND"] else { throw Broken(what: "chunks \(types)") }
        guard compressed.count > 6, (Int(compressed[0]) << 8 + Int(compressed[1])) % 31 == 0, compressed[0] == 0x78
        else {
            throw Broken(what: "zlib")
        }
        var inflater = Inflater(Array(compressed.dropFirst(2).dropLast(4)))
        let rows = try inflater.run()
        guard try Self.number(compressed, compressed.count - 4) == Self.adler(rows) else { throw Broken(what: "adler") }
        let rowBytes = (width + 1) / 2 + 1
        guard rows.count == rowBytes * height else { throw Broken(what: "rows") }
        for row in 0..<height {
            guard rows[row * rowBytes] == 0 else { throw Broken(what: "filter") }
            for column in 0..<width {
                let pair = rows[row * rowBytes + 1 + column / 2]
                values.append(column % 2 == 0 ? pair >> 4 : pair & 15)
            }
        }
    }

    private static func number(_ bytes: [UInt8], _ place: Int) throws -> Int {
        guard place + 4 <= bytes.count else { throw Broken(what: "end") }
        return bytes[place..<place + 4].reduce(0) { $0 << 8 | Int($1) }
    }

    private static func crc(_ bytes: [UInt8]) -> Int {
        var rest: UInt32 = 0xFFFF_FFFF
        for byte in bytes {
            for bit in 0..<8 {
                let isOdd = (rest ^ UInt32(byte >> bit)) & 1 == 1
                rest = rest >> 1 ^ (isOdd ? 0xEDB8_8320 : 0)
            }
        }
        return Int(~rest)
    }

    private static func adler(_ bytes: [UInt8]) -> Int {
        let sums = bytes.reduce(into: (1, 0)) { sums, byte in
            sums.0 = (sums.0 + Int(byte)) % 65521
            sums.1 = (sums.1 + sums.0) % 65521
        }
        return sums.1 << 16 | sums.0
    }
}

/// One block of fixed codes.
private struct Inflater {
    private let bytes: [UInt8]
    private var place = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    private mutating func bit() throws -> Int {
        guard place < 8 * bytes.count else { throw DecodedImage.Broken(what: "deflate: end") }
        defer { place += 1 }
        return Int(bytes[place / 8] >> (place % 8) & 1)
    }

    private mutating func number(_ count: Int) throws -> Int {
        var value = 0
        for index in 0..<count { value |= try bit() << index }
        return value
    }

    private mutating func code(_ count: Int, after start: Int = 0) throws -> Int {
        var value = start
        for _ in 0..<count { value = value << 1 | (try bit()) }
        return value
    }

    /// The table of RFC 1951, section 3.2.6.
    private mutating func symbol() throws -> Int {
        let seven = try code(7)
        if seven <= 0b0010111 { return 256 + seven }
        let eight = try code(1, after: seven)
        if (0b00110000...0b10111111).contains(eight) { return eight - 0b00110000 }
        if (0b11000000...0b11000111).contains(eight) { return 280 + eight - 0b11000000 }
        return 144 + (try code(1, after: eight)) - 0b110010000
    }

    // Section 3.2.5, written out.
    private static let lengths = [
        3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227,
        258,
    ]
    private static let lengthBits = [
        0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0,
    ]
    private static let distances = [
        1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097,
        6145,
        8193, 12289, 16385, 24577,
    ]
    private static let distanceBits = [
        0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13,
    ]

    mutating func run() throws -> [UInt8] {
        guard try number(1) == 1, try number(2) == 1 else { throw DecodedImage.Broken(what: "deflate: block") }
        var output: [UInt8] = []
        while true {
            let symbol = try symbol()
            if symbol == 256 { break }
            if symbol < 256 {
                output.append(UInt8(symbol))
                continue
            }
            guard symbol < 286 else { throw DecodedImage.Broken(what: "deflate: symbol") }
            let length = Self.lengths[symbol - 257] + (try number(Self.lengthBits[symbol - 257]))
            let distanceCode = try code(5)
            guard distanceCode < 30 else { throw DecodedImage.Broken(what: "deflate: distance") }
            let distance = Self.distances[distanceCode] + (try number(Self.distanceBits[distanceCode]))
            guard distance <= output.count else { throw DecodedImage.Broken(what: "deflate: too far") }
            for _ in 0..<length { output.append(output[output.count - distance]) }
        }
        guard (place + 7) / 8 == bytes.count else { throw DecodedImage.Broken(what: "deflate: more") }
        return output
    }
}
