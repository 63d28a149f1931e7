import TensorFiles
import TestSupport
import Testing

@Suite("Damaged files")
struct FuzzTests {
    @Test("20,000 files with flipped, cut, doubled and spliced bytes are read or refused")
    func damaged() throws {
        let seed: UInt64 = 20_260_117
        print("seed \(seed)")
        var generator = SeededGenerator(state: seed)
        let tensors = [
            content("Q", .float32, [1, 2, 2]), content("é", .bfloat16, [3]), content("z", .int64, [0]),
            content("s", .float64, []),
        ]
        // Two tensors of one size make overlaps and holes likely.
        let pair = [content("a", .uint8, [4]), content("b", .uint8, [4])]
        let sources = [
            (bytes: try TensorFile.encoded(tensors, metadata: ["k\n": "😀"]), dataLength: 30),
            (bytes: try TensorFile.encoded(pair), dataLength: 8), (bytes: try TensorFile.encoded([]), dataLength: 0),
        ]
        var accepted = 0
        var kinds: Set<TensorFileError.Kind> = []
        for _ in 0..<20_000 {
            let source = sources[Int.random(in: 0..<sources.count, using: &generator)]
            var bytes = source.bytes
            for _ in 0...Int.random(in: 0..<2, using: &generator) { damage(&bytes, using: &generator) }
            // Most damage to the header's length would hide all other damage.
            if Int.random(in: 0..<4, using: &generator) > 0 { repairLength(&bytes, dataLength: source.dataLength) }
            do throws(TensorFileError) {
                try check(TensorFile(bytes: bytes), size: bytes.count)
                accepted += 1
            } catch {
                kinds.insert(error.kind)
                #expect(!error.description.contains { $0.isNewline })
            }
        }
        print("accepted \(accepted), refused: \(kinds.map(\.rawValue).sorted().joined(separator: " "))")
        #expect(accepted > 1000)
        #expect(kinds.count >= 16)
    }

    /// What holds of every file that is accepted.
    private func check(_ file: TensorFile, size: Int) throws(TensorFileError) {
        var end = 0
        for entry in file.entries {
            #expect(entry.byteRange.lowerBound == end)
            end = entry.byteRange.upperBound
            #expect(entry.shape.reduce(entry.elementType.byteCount, *) == entry.byteCount)
            #expect(file[entry.name] == entry)
            #expect(try file.bytes(of: entry.name).count == entry.byteCount)
        }
        #expect(end <= size - 10)
        var tensors: [TensorFileTensor] = []
        for entry in file.entries {
            tensors.append(
                TensorFileTensor(
                    name: entry.name, elementType: entry.elementType, shape: entry.shape,
                    bytes: try file.bytes(of: entry.name)))
        }
        let again = try TensorFile(bytes: TensorFile.encoded(tensors, metadata: file.metadata))
        #expect(again.metadata == file.metadata)
        #expect(Set(again.entries.map(\.name)) == Set(file.entries.map(\.name)))
    }

    private func damage(_ bytes: inout [UInt8], using generator: inout SeededGenerator) {
        guard !bytes.isEmpty else { return }
        let place = Int.random(in: 0..<bytes.count, using: &generator)
        let end = min(bytes.count, place + Int.random(in: 1...12, using: &generator))
        switch Int.random(in: 0..<7, using: &generator) {
        case 0: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
        case 1: bytes[place] = .random(in: 0...255, using: &generator)
        case 2: bytes.removeLast(min(bytes.count, Int.random(in: 1...40, using: &generator)))
        case 3: bytes.removeSubrange(place..<end)
        case 4: bytes.insert(contentsOf: bytes[place..<end], at: place)
        case 5:
            let tokens = [
                "{", "}", "[", "]", ",", ":", "\"", "\\", "\\uD800", "-", "0", "1e9", "9223372036854775807", "null",
                " ", "\u{0}", "\"__metadata__\":{},", "\"dtype\":\"I8\",", ",9223372036854775807",
            ]
            bytes.insert(contentsOf: (tokens.randomElement(using: &generator) ?? "").utf8, at: place)
        default:
            // A digit for a digit: shapes and offsets that do not agree.
            let digits = bytes.indices.filter { (0x30...0x39).contains(bytes[$0]) }
            if let digit = digits.randomElement(using: &generator) {
                bytes[digit] = UInt8(ascii: "0") + .random(in: 0..<10, using: &generator)
            }
        }
    }

    /// Sets the length prefix so that `dataLength` bytes are left behind the header.
    private func repairLength(_ bytes: inout [UInt8], dataLength: Int) {
        let length = bytes.count - 8 - dataLength
        guard length >= 0 else { return }
        for index in 0..<8 { bytes[index] = UInt8(truncatingIfNeeded: length >> (8 * index)) }
    }
}
