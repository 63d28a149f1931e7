/// Compressed bytes in one block of fixed codes (RFC 1951): earlier bytes are referred to where some come again.
///
/// Of the earlier places only the last that begins alike is looked at, so that time is linear: maps of attention become a quarter
/// larger than by a search of all places.
struct Deflate {
    /// References could be to 3 bytes; with the distance such a one costs more bits than the bytes themselves.
    private static let shortest = 5
    private static let longest = 258
    private static let window = 1 << 15
    private static let hashBits = 13

    /// The first length, and the extra bits, of each length code from 257 on.
    private static let lengths: [(base: Int, extra: Int)] = table(count: 28, codesEachSize: 4, base: 3) + [(258, 0)]
    /// Likewise for distance codes.
    private static let distances: [(base: Int, extra: Int)] = table(count: 30, codesEachSize: 2, base: 1)

    private var bytes: [UInt8] = []
    private var bits: UInt64 = 0
    private var bitCount = 0

    static func compressed(_ input: [UInt8]) -> [UInt8] {
        var writer = Deflate()
        // The last block, of fixed codes.
        writer.put(1, 1)
        writer.put(1, 2)
        writer.put(input)
        writer.putSymbol(256)
        writer.put(0, 7)
        return writer.bytes
    }

    /// Codes of no extra bits twice over, then so many codes of one bit, of two, and so on.
    private static func table(count: Int, codesEachSize: Int, base: Int) -> [(base: Int, extra: Int)] {
        var next = base
        return (0..<count).map { code in
            let extra = max(0, code / codesEachSize - 1)
            defer { next += 1 << extra }
            return (next, extra)
        }
    }

    private mutating func put(_ input: [UInt8]) {
        var last = [Int](repeating: -Self.window - 1, count: 1 << Self.hashBits)
        var index = 0
        while index < input.count {
            guard index + Self.shortest <= input.count else {
                putSymbol(Int(input[index]))
                index += 1
                continue
            }
            let place = Self.hash(input, index)
            let before = last[place]
            last[place] = index
            let length = index - before <= Self.window ? Self.matchLength(input, before, index) : 0
            guard length >= Self.shortest else {
                putSymbol(Int(input[index]))
                index += 1
                continue
            }
            putLength(length)
            putDistance(index - before)
            for skipped in index + 1..<index + length where skipped + Self.shortest <= input.count {
                last[Self.hash(input, skipped)] = skipped
            }
            index += length
        }
    }

    private static func hash(_ input: [UInt8], _ index: Int) -> Int {
        let mixed = (0..<shortest).reduce(UInt32(0)) { ($0 ^ UInt32(input[index + $1])) &* 2_654_435_761 }
        return Int(mixed >> (32 - UInt32(hashBits)))
    }

    private static func matchLength(_ input: [UInt8], _ before: Int, _ index: Int) -> Int {
        var length = 0
        while length < longest, index + length < input.count, input[before + length] == input[index + length] {
            length += 1
        }
        return length
    }

    private mutating func putLength(_ length: Int) {
        let code = Self.lengths.lastIndex { $0.base <= length } ?? 0
        putSymbol(257 + code)
        put(length - Self.lengths[code].base, Self.lengths[code].extra)
    }

    private mutating func putDistance(_ distance: Int) {
        let code = Self.distances.lastIndex { $0.base <= distance } ?? 0
        putCode(code, 5)
        put(distance - Self.distances[code].base, Self.distances[code].extra)
    }

    /// A literal, 256 for the end, or a length code.
    private mutating func putSymbol(_ symbol: Int) {
        switch symbol {
        case ..<144: putCode(0x30 + symbol, 8)
        case ..<256: putCode(0x190 + symbol - 144, 9)
        case ..<280: putCode(symbol - 256, 7)
        default: putCode(0xC0 + symbol - 280, 8)
        }
    }

    /// Codes begin with their highest bit, numbers with their lowest.
    private mutating func putCode(_ code: Int, _ count: Int) {
        var reversed = 0
        for bit in 0..<count where code >> bit & 1 == 1 { reversed |= 1 << (count - 1 - bit) }
        put(reversed, count)
    }

    private mutating func put(_ value: Int, _ count: Int) {
        bits |= UInt64(value) << UInt64(bitCount)
        bitCount += count
        while bitCount >= 8 {
            bytes.append(UInt8(truncatingIfNeeded: bits))
            bits >>= 8
            bitCount -= 8
        }
    }
}
