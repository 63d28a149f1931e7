/// What a header says, once every claim in it has been checked against the size of the data part.
struct Header {
    /// In the order of their bytes.
    let entries: [TensorFileEntry]
    let metadata: [String: String]

    /// The key that holds the metadata among the tensors' names.
    static let metadataKey = "__metadata__"
    /// Longest header read or written, in bytes.
    static let maximumLength = 100_000_000

    /// - Parameters:
    ///   - bytes: the header without its length prefix.
    ///   - dataLength: how many bytes follow it.
    /// - Throws: any kind of ``TensorFileError`` from `syntax` to `trailingData`.
    init(_ bytes: [UInt8], dataLength: Int, file: String) throws(TensorFileError) {
        var parser = HeaderParser(HeaderScanner(bytes, file: file))
        try parser.parse()
        metadata = parser.metadata
        entries = try DataLayout.checked(parser.entries, dataLength: dataLength, file: file)
    }
}

/// The grammar of a header: an object of tensors, each `{dtype, shape, data_offsets}` in any order, and `__metadata__`,
/// an object of strings.
private struct HeaderParser {
    var scanner: HeaderScanner
    var entries: [TensorFileEntry] = []
    var metadata: [String: String] = [:]

    init(_ scanner: HeaderScanner) { self.scanner = scanner }

    mutating func parse() throws(TensorFileError) {
        try scanner.expect(UInt8(ascii: "{"))
        var keys: Set<String> = []
        while let key = try scanner.nextKey(isFirst: keys.isEmpty) {
            guard keys.insert(key).inserted else {
                throw duplicate(key == Header.metadataKey ? .metadata : .tensor(key))
            }
            if key == Header.metadataKey {
                try parseMetadata()
            } else {
                try entries.append(parseEntry(name: key))
            }
        }
        scanner.skipWhitespace()
        if scanner.next != nil { throw scanner.syntax(expected: "nothing but spaces after the header's object") }
    }

    private mutating func parseMetadata() throws(TensorFileError) {
        try scanner.require(UInt8(ascii: "{"), "an object of strings", at: .metadata)
        try scanner.expect(UInt8(ascii: "{"))
        while let key = try scanner.nextKey(isFirst: metadata.isEmpty) {
            let place = HeaderPlace.metadataKey(key)
            try scanner.require(UInt8(ascii: "\""), "a string", at: place)
            guard metadata.updateValue(try scanner.string(), forKey: key) == nil else { throw duplicate(place) }
        }
    }

    private mutating func parseEntry(name: String) throws(TensorFileError) -> TensorFileEntry {
        try scanner.require(UInt8(ascii: "{"), "an object", at: .tensor(name))
        try scanner.expect(UInt8(ascii: "{"))
        var elementType: TensorFileElementType?
        var shape: [Int]?
        var offsets: Range<Int>?
        while let field = try scanner.nextKey(isFirst: elementType == nil && shape == nil && offsets == nil) {
            let isRepeated: Bool
            switch field {
            case "dtype": isRepeated = replace(&elementType, with: try parseElementType(name))
            case "shape": isRepeated = replace(&shape, with: try parseShape(name))
            case "data_offsets": isRepeated = replace(&offsets, with: try parseOffsets(name))
            default:
                throw scanner.error(
                    .unknownField, at: .tensor(name), expected: "only dtype, shape and data_offsets",
                    found: "field \(MessageText.quoted(field))")
            }
            if isRepeated { throw duplicate(.field(field, of: name)) }
        }
        guard let elementType else { throw missing("dtype", name) }
        guard let shape else { throw missing("shape", name) }
        guard let offsets else { throw missing("data_offsets", name) }
        return try entry(name, elementType, shape, offsets)
    }

    private func entry(
        _ name: String, _ elementType: TensorFileElementType, _ shape: [Int], _ offsets: Range<Int>
    ) throws(TensorFileError) -> TensorFileEntry {
        guard let size = TensorSize.byteCount(shape: shape, elementType: elementType) else {
            throw scanner.error(
                .sizeOverflow, at: .tensor(name), expected: "a size of at most \(Int.max) bytes",
                found: MessageText.type(elementType, shape))
        }
        guard size == offsets.count else {
            throw scanner.error(
                .byteCountMismatch, at: .tensor(name),
                expected: "\(MessageText.bytes(size)) for \(MessageText.type(elementType, shape))",
                found: "\(offsets.count) in data_offsets [\(offsets.lowerBound), \(offsets.upperBound)]")
        }
        return TensorFileEntry(name: name, elementType: elementType, shape: shape, byteRange: offsets)
    }

    private mutating func parseElementType(_ name: String) throws(TensorFileError) -> TensorFileElementType {
        try scanner.require(UInt8(ascii: "\""), "a string", at: .field("dtype", of: name))
        let spelling = try scanner.string()
        if let type = TensorFileElementType(rawValue: spelling) { return type }
        let known = TensorFileElementType.allCases.map(\.rawValue).joined(separator: " ")
        throw scanner.error(
            .unknownElementType, at: .tensor(name), expected: "a dtype among \(known)",
            found: MessageText.quoted(spelling))
    }

    private mutating func parseShape(_ name: String) throws(TensorFileError) -> [Int] {
        let shape = try parseIntegers(.field("shape", of: name), limit: TensorSize.maximumRank)
        if shape.count <= TensorSize.maximumRank { return shape }
        throw scanner.error(
            .rankTooHigh, at: .tensor(name), expected: "at most \(TensorSize.maximumRank) extents in shape",
            found: "at least \(shape.count)")
    }

    private mutating func parseOffsets(_ name: String) throws(TensorFileError) -> Range<Int> {
        let offsets = try parseIntegers(.field("data_offsets", of: name), limit: 2)
        guard offsets.count == 2 else {
            throw scanner.error(
                .invalidOffsets, at: .tensor(name), expected: "two numbers in data_offsets",
                found: offsets.count > 2 ? "at least 3" : "\(offsets.count)")
        }
        guard offsets[0] <= offsets[1] else {
            throw scanner.error(
                .invalidOffsets, at: .tensor(name), expected: "data_offsets that do not run backwards",
                found: "[\(offsets[0]), \(offsets[1])]")
        }
        return offsets[0]..<offsets[1]
    }

    /// At most `limit` numbers, and one more to tell that there were too many; the rest is not looked at.
    private mutating func parseIntegers(_ place: HeaderPlace, limit: Int) throws(TensorFileError) -> [Int] {
        try scanner.require(UInt8(ascii: "["), "an array of numbers", at: place)
        try scanner.expect(UInt8(ascii: "["))
        var numbers: [Int] = []
        while numbers.count <= limit, try scanner.hasNextElement(isFirst: numbers.isEmpty) {
            numbers.append(try scanner.integer(at: place))
        }
        return numbers
    }

    private func replace<Value>(_ slot: inout Value?, with value: Value) -> Bool {
        defer { slot = value }
        return slot != nil
    }

    private func duplicate(_ place: HeaderPlace) -> TensorFileError {
        scanner.error(.duplicateKey, at: place, expected: "each key once", found: "it again")
    }

    private func missing(_ field: String, _ name: String) -> TensorFileError {
        scanner.error(
            .missingField, at: .tensor(name), expected: "dtype, shape and data_offsets", found: "no \(field)")
    }
}
