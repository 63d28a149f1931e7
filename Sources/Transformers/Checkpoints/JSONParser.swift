import TensorFiles

/// Reads JSON strictly as RFC 8259 has it, from UTF-8: no duplicate keys, no lone surrogates, nothing after the value, and no
/// nesting deeper than a configuration needs, as it reads by recursion.
struct JSONParser {
    static let deepest = 64
    /// Most values in one file: well above the entries of the largest vocabularies, and little memory all the same.
    static let mostValues = 2 << 20

    private let bytes: UnsafeBufferPointer<UInt8>
    private let file: String
    private var position = 0
    private var count = 0

    /// The value that `bytes` hold. `file` is what errors call them.
    static func parse(_ bytes: [UInt8], file: String) throws(CheckpointError) -> JSONValue {
        let result: Result<JSONValue, CheckpointError> = bytes.withUnsafeBufferPointer { buffer in
            var parser = JSONParser(bytes: buffer, file: file)
            do throws(CheckpointError) { return .success(try parser.document()) } catch { return .failure(error) }
        }
        return try result.get()
    }

    private init(bytes: UnsafeBufferPointer<UInt8>, file: String) {
        self.bytes = bytes
        self.file = file
    }

    private mutating func document() throws(CheckpointError) -> JSONValue {
        // A byte order mark is no part of JSON, but some editors write one.
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
        let value = try value(depth: 0)
        skipSpace()
        guard position == bytes.count else { throw syntax("the end of the file") }
        return value
    }

    private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    private func failure(
        _ kind: CheckpointError.Kind, _ expected: String, _ found: String, at place: Int? = nil
    ) -> CheckpointError {
        CheckpointError(kind, file: file, place: "byte \(place ?? position)", expected: expected, found: found)
    }

    private func syntax(_ expected: String) -> CheckpointError {
        failure(.syntax, expected, next == nil ? "the end of the file" : MessageText.byte(next))
    }

    private mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard next == byte else { return false }
        position += 1
        return true
    }

    private mutating func value(depth: Int) throws(CheckpointError) -> JSONValue {
        guard depth < Self.deepest else { throw failure(.tooLarge, "at most \(Self.deepest) levels", "more") }
        count += 1
        guard count <= Self.mostValues else { throw failure(.tooLarge, "at most \(Self.mostValues) values", "more") }
        skipSpace()
        switch next {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: return try number()
        }
    }

    private mutating func word(_ word: StaticString, _ value: JSONValue) throws(CheckpointError) -> JSONValue {
        for offset in 0..<word.utf8CodeUnitCount where !take(word.utf8Start[offset]) { throw syntax("a JSON value") }
        return value
    }

    private mutating func object(depth: Int) throws(CheckpointError) -> JSONValue {
        position += 1
        var members: [ByteText: JSONValue] = [:]
        skipSpace()
        if take(UInt8(ascii: "}")) { return .object(members) }
        while true {
            skipSpace()
            guard next == UInt8(ascii: "\"") else { throw syntax("a key in double quotes") }
            let start = position
            let key = try string()
            skipSpace()
            guard take(UInt8(ascii: ":")) else { throw syntax("':'") }
            guard members.updateValue(try value(depth: depth + 1), forKey: ByteText(key)) == nil else {
                throw failure(.duplicateKey, "each key once", "\(MessageText.quoted(key)) again", at: start)
            }
            skipSpace()
            if take(UInt8(ascii: "}")) { return .object(members) }
            guard take(UInt8(ascii: ",")) else { throw syntax("',' or '}'") }
        }
    }

    private mutating func array(depth: Int) throws(CheckpointError) -> JSONValue {
        position += 1
        var elements: [JSONValue] = []
        skipSpace()
        if take(UInt8(ascii: "]")) { return .array(elements) }
        while true {
            elements.append(try value(depth: depth + 1))
            skipSpace()
            if take(UInt8(ascii: "]")) { return .array(elements) }
            guard take(UInt8(ascii: ",")) else { throw syntax("',' or ']'") }
        }
    }

    private mutating func digits() throws(CheckpointError) {
        guard let byte = next, (0x30...0x39).contains(byte) else { throw syntax("a digit") }
        while let byte = next, (0x30...0x39).contains(byte) { position += 1 }
    }

    private mutating func number() throws(CheckpointError) -> JSONValue {
        let start = position
        let isNegative = take(UInt8(ascii: "-"))
        guard let first = next, (0x30...0x39).contains(first) else {
            throw syntax(isNegative ? "a digit" : "a JSON value")
        }
        if first == 0x30 { position += 1 } else { try digits() }
        var isWhole = true
        if take(UInt8(ascii: ".")) {
            isWhole = false
            try digits()
        }
        if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
            isWhole = false
            if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
            try digits()
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        if isWhole, let value = Int(text) { return .integer(value) }
        guard let value = Double(text), value.isFinite else {
            throw failure(.invalidValue, "a number within 64 bits", MessageText.quoted(text), at: start)
        }
        return .number(value)
    }
}

extension JSONParser {
    /// A string, its opening quote next.
    private mutating func string() throws(CheckpointError) -> String {
        position += 1
        let start = position
        while let byte = next, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 { position += 1 }
        // Most strings have no escape, and are read where they stand.
        if take(UInt8(ascii: "\"")) { return try text(bytes[start..<(position - 1)], at: start) }
        var unescaped = Array(bytes[start..<position])
        while true {
            guard let byte = next else { throw syntax("'\"' to end a string") }
            position += 1
            switch byte {
            case UInt8(ascii: "\""): return try text(unescaped[...], at: start)
            case UInt8(ascii: "\\"): ScalarBytes.append(try escape(), to: &unescaped)
            case 0..<0x20: throw failure(.syntax, "a string without control characters", MessageText.byte(byte))
            default: unescaped.append(byte)
            }
        }
    }

    private func text(_ utf8: some Collection<UInt8>, at start: Int) throws(CheckpointError) -> String {
        guard let text = String(validating: utf8, as: UTF8.self) else {
            throw failure(.syntax, "UTF-8", "other bytes", at: start)
        }
        return text
    }

    /// The scalar of an escape whose backslash has been taken.
    private mutating func escape() throws(CheckpointError) -> UInt32 {
        let start = position
        guard let letter = next else { throw syntax("an escape") }
        position += 1
        switch letter {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return UInt32(letter)
        case UInt8(ascii: "b"): return 0x08
        case UInt8(ascii: "f"): return 0x0C
        case UInt8(ascii: "n"): return 0x0A
        case UInt8(ascii: "r"): return 0x0D
        case UInt8(ascii: "t"): return 0x09
        case UInt8(ascii: "u"): break
        default: throw failure(.syntax, "a JSON escape after '\\'", MessageText.byte(letter), at: start)
        }
        let first = try hexadecimal()
        guard (0xD800..<0xE000).contains(first) else { return first }
        if first < 0xDC00, take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) {
            let second = try hexadecimal()
            if (0xDC00..<0xE000).contains(second) { return 0x10000 + (first - 0xD800) << 10 + (second - 0xDC00) }
        }
        throw failure(.syntax, "a pair of surrogates", "one alone", at: start)
    }

    private mutating func hexadecimal() throws(CheckpointError) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = next, byte < 0x80, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                throw syntax("four hexadecimal digits after '\\u'")
            }
            position += 1
            value = value << 4 | UInt32(digit)
        }
        return value
    }
}
