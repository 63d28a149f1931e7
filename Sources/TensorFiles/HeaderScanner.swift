/// Reads the few JSON tokens a header is made of, left to right, without recursion: nesting is the caller's, so it is
/// bounded.
///
/// Strictness beyond JSON's own: numbers are plain non-negative integers of at most 63 bits.
struct HeaderScanner {
    let file: String
    private let bytes: [UInt8]
    private(set) var position = 0

    init(_ bytes: [UInt8], file: String) {
        self.bytes = bytes
        self.file = file
    }

    var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    mutating func skipWhitespace() {
        while let byte = next, byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D { position += 1 }
    }

    /// Takes `byte` if it comes next.
    mutating func take(_ byte: UInt8) -> Bool {
        guard next == byte else { return false }
        position += 1
        return true
    }

    mutating func expect(_ byte: UInt8, or other: String? = nil) throws(TensorFileError) {
        guard take(byte) else {
            throw syntax(expected: MessageText.byte(byte) + (other.map { " or " + $0 } ?? ""))
        }
    }

    func syntax(expected: String) -> TensorFileError {
        error(.syntax, expected: expected, found: MessageText.byte(next))
    }

    func error(
        _ kind: TensorFileError.Kind, at place: HeaderPlace? = nil, expected: String, found: String
    ) -> TensorFileError {
        TensorFileError(kind, file: file, place: (place ?? .byte(position)).text, expected: expected, found: found)
    }

    /// The next key of an object whose `{` has been taken, with its colon; nil after its `}`.
    mutating func nextKey(isFirst: Bool) throws(TensorFileError) -> String? {
        skipWhitespace()
        if take(UInt8(ascii: "}")) { return nil }
        if !isFirst {
            try expect(UInt8(ascii: ","), or: "'}'")
            skipWhitespace()
        }
        guard next == UInt8(ascii: "\"") else { throw syntax(expected: "a key in double quotes") }
        let start = position
        let key = try string()
        guard KeyText.isHashable(key) else {
            throw error(
                .invalidString, at: .byte(start),
                expected: "a key with at most \(KeyText.longestMarkRun) combining marks in a row",
                found: "more")
        }
        skipWhitespace()
        try expect(UInt8(ascii: ":"))
        skipWhitespace()
        return key
    }

    /// Whether an array whose `[` has been taken has another element; its `]` is taken if not.
    mutating func hasNextElement(isFirst: Bool) throws(TensorFileError) -> Bool {
        skipWhitespace()
        if take(UInt8(ascii: "]")) { return false }
        if !isFirst {
            try expect(UInt8(ascii: ","), or: "']'")
            skipWhitespace()
            if next == UInt8(ascii: "]") { throw syntax(expected: "a number") }
        }
        return true
    }

    /// Refuses a value that does not begin with `byte`: JSON of another type, or no JSON at all.
    func require(_ byte: UInt8, _ expected: String, at place: HeaderPlace) throws(TensorFileError) {
        if next != byte { throw wrongValue(expected, at: place) }
    }

    /// A plain non-negative integer.
    mutating func integer(at place: HeaderPlace) throws(TensorFileError) -> Int {
        guard let first = next, first == UInt8(ascii: "-") || isDigit(first) else {
            throw wrongValue("a number", at: place)
        }
        let start = position
        while let byte = next, isDigit(byte) || [0x2B, 0x2D, 0x2E, 0x45, 0x65].contains(byte) { position += 1 }
        let token = bytes[start..<position]
        var value = 0
        var isPlain = token.count == 1 || first != UInt8(ascii: "0")
        for byte in token where isPlain {
            let (product, tooLarge) = value.multipliedReportingOverflow(by: 10)
            let (sum, stillTooLarge) = product.addingReportingOverflow(Int(byte & 0x0F))
            isPlain = isDigit(byte) && !tooLarge && !stillTooLarge
            value = sum
        }
        if isPlain { return value }
        let shown = String(decoding: token.prefix(40), as: UTF8.self) + (token.count > 40 ? "…" : "")
        throw error(
            .invalidNumber, at: place, expected: "a plain integer from 0 to \(Int.max)", found: shown)
    }

    private func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

    private func wrongValue(_ expected: String, at place: HeaderPlace) -> TensorFileError {
        let rest = bytes[position...]
        let type: String? =
            switch next {
            case UInt8(ascii: "{"): "an object"
            case UInt8(ascii: "["): "an array"
            case UInt8(ascii: "\""): "a string"
            case UInt8(ascii: "-"): "a number"
            case .some(let byte) where isDigit(byte): "a number"
            case _ where rest.starts(with: "true".utf8): "true"
            case _ where rest.starts(with: "false".utf8): "false"
            case _ where rest.starts(with: "null".utf8): "null"
            default: nil
            }
        guard let type else { return syntax(expected: "\(expected) for \(place.text)") }
        return error(.wrongType, at: place, expected: expected, found: type)
    }
}

extension HeaderScanner {
    /// A string, its opening quote next: escapes resolved, UTF-8 checked.
    mutating func string() throws(TensorFileError) -> String {
        try expect(UInt8(ascii: "\""))
        let start = position
        var text: [UInt8] = []
        var runStart = position
        while true {
            guard let byte = next else { throw syntax(expected: "'\"' to end a string") }
            switch byte {
            case UInt8(ascii: "\""):
                text += bytes[runStart..<position]
                position += 1
                if let string = String(validating: text, as: UTF8.self) { return string }
                throw error(.invalidString, at: .byte(start), expected: "UTF-8 text", found: "other bytes")
            case UInt8(ascii: "\\"):
                text += bytes[runStart..<position]
                position += 1
                text.append(contentsOf: UTF8.encode(try escape()) ?? UTF8.encodedReplacementCharacter)
                runStart = position
            case 0..<0x20:
                throw error(
                    .invalidString, expected: "a string without control characters", found: MessageText.byte(byte))
            default: position += 1
            }
        }
    }

    /// The scalar of an escape whose backslash has been taken.
    private mutating func escape() throws(TensorFileError) -> Unicode.Scalar {
        let letter = next
        let simple: UInt8? =
            switch letter {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): letter
            case UInt8(ascii: "b"): 0x08
            case UInt8(ascii: "f"): 0x0C
            case UInt8(ascii: "n"): 0x0A
            case UInt8(ascii: "r"): 0x0D
            case UInt8(ascii: "t"): 0x09
            default: nil
            }
        if let simple {
            position += 1
            return Unicode.Scalar(simple)
        }
        guard take(UInt8(ascii: "u")) else {
            throw error(.invalidString, expected: "a JSON escape after '\\'", found: MessageText.byte(letter))
        }
        let start = position
        var value = try fourHexDigits()
        if (0xD800..<0xDC00).contains(value), take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) {
            let low = try fourHexDigits()
            if (0xDC00..<0xE000).contains(low) { value = 0x10000 + (value - 0xD800) << 10 + (low - 0xDC00) }
        }
        guard let scalar = Unicode.Scalar(value) else {
            throw error(
                .invalidString, at: .byte(start), expected: "a pair of surrogates",
                found: "a lone \\u\(String(value, radix: 16, uppercase: true))")
        }
        return scalar
    }

    private mutating func fourHexDigits() throws(TensorFileError) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = next, byte < 0x80, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                throw error(
                    .invalidString, expected: "four hexadecimal digits after '\\u'", found: MessageText.byte(next))
            }
            position += 1
            value = value << 4 | UInt32(digit)
        }
        return value
    }
}
