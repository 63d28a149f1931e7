import TensorFiles

/// A JSON value with the place where it stands, so that whoever asks for a type can be told where another one is.
struct JSONReader {
    let value: JSONValue
    let file: String
    /// The keys that lead here, fit for printing; empty for the whole.
    let path: String

    init(_ value: JSONValue, file: String, path: String = "") {
        self.value = value
        self.file = file
        self.path = path
    }

    func error(_ kind: CheckpointError.Kind, expected: String, found: String? = nil) -> CheckpointError {
        CheckpointError(
            kind, file: file, place: path.isEmpty ? nil : path, expected: expected, found: found ?? value.typeName)
    }

    func invalid(_ expected: String, found: String? = nil) -> CheckpointError {
        error(.invalidValue, expected: expected, found: found)
    }

    /// Whether there is a value other than null.
    var isNull: Bool { if case .null = value { true } else { false } }

    // MARK: Types

    var object: [ByteText: JSONValue] {
        get throws(CheckpointError) {
            guard case .object(let members) = value else { throw error(.wrongType, expected: "an object") }
            return members
        }
    }

    var array: [JSONReader] {
        get throws(CheckpointError) {
            guard case .array(let elements) = value else { throw error(.wrongType, expected: "an array") }
            var readers: [JSONReader] = []
            readers.reserveCapacity(elements.count)
            for (index, element) in elements.enumerated() {
                readers.append(JSONReader(element, file: file, path: "\(path)[\(index)]"))
            }
            return readers
        }
    }

    /// The texts of a list. A list may be long, so places are spelled out for errors only.
    var strings: [String] {
        get throws(CheckpointError) {
            guard case .array(let elements) = value else { throw error(.wrongType, expected: "an array of strings") }
            var texts: [String] = []
            texts.reserveCapacity(elements.count)
            for (index, element) in elements.enumerated() {
                guard case .string(let text) = element else {
                    throw JSONReader(element, file: file, path: "\(path)[\(index)]").error(
                        .wrongType, expected: "a string")
                }
                texts.append(text)
            }
            return texts
        }
    }

    var string: String {
        get throws(CheckpointError) {
            guard case .string(let text) = value else { throw error(.wrongType, expected: "a string") }
            return text
        }
    }

    var bool: Bool {
        get throws(CheckpointError) {
            guard case .bool(let value) = value else { throw error(.wrongType, expected: "true or false") }
            return value
        }
    }

    var double: Double {
        get throws(CheckpointError) {
            switch value {
            case .integer(let value): return Double(value)
            case .number(let value): return value
            default: throw error(.wrongType, expected: "a number")
            }
        }
    }

    /// A whole number within a range.
    func integer(in range: ClosedRange<Int>) throws(CheckpointError) -> Int {
        guard case .integer(let value) = value else { throw error(.wrongType, expected: "a whole number") }
        guard range.contains(value) else {
            throw invalid("a whole number from \(range.lowerBound) to \(range.upperBound)", found: "\(value)")
        }
        return value
    }

    /// One of the cases of an enumeration that are spelled as strings.
    func choice<Choice>(_ choices: KeyValuePairs<String, Choice>) throws(CheckpointError) -> Choice {
        let text = try string
        if let choice = choices.first(where: { ByteText($0.key) == ByteText(text) }) { return choice.value }
        let names = choices.map { MessageText.quoted($0.key) }.joined(separator: ", ")
        throw error(.unsupported, expected: "one of \(names)", found: MessageText.quoted(text))
    }

    // MARK: Members

    /// The member under a key; nil if there is none, or if it is null.
    func optional(_ key: String) throws(CheckpointError) -> JSONReader? {
        guard let member = try object[ByteText(key)] else { return nil }
        let shown = key.utf8.allSatisfy { (0x21...0x7E).contains($0) } && key.utf8.count <= 60
        let name = shown ? key : MessageText.quoted(key)
        let reader = JSONReader(member, file: file, path: path.isEmpty ? name : "\(path).\(name)")
        return reader.isNull ? nil : reader
    }

    /// The member under a key.
    func member(_ key: String) throws(CheckpointError) -> JSONReader {
        if let member = try optional(key) { return member }
        let found = try object[ByteText(key)] == nil ? "none" : "null"
        throw error(.missingField, expected: "the key \(MessageText.quoted(key))", found: found)
    }

    func integer(
        _ key: String, in range: ClosedRange<Int>, default fallback: Int? = nil
    ) throws(CheckpointError) -> Int {
        if let fallback { return try optional(key)?.integer(in: range) ?? fallback }
        return try member(key).integer(in: range)
    }

    func bool(_ key: String, default fallback: Bool) throws(CheckpointError) -> Bool {
        try optional(key)?.bool ?? fallback
    }
}
