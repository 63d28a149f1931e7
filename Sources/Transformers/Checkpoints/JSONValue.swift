/// A JSON value. Keys and texts are compared byte for byte.
enum JSONValue: Sendable {
    case null
    case bool(Bool)
    /// A number without a fraction or exponent that fits 64 bits.
    case integer(Int)
    /// Any other number, rounded.
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object([ByteText: JSONValue])

    /// What the value is, for a message.
    var typeName: String {
        switch self {
        case .null: "null"
        case .bool(let value): value ? "true" : "false"
        case .integer(let value): "the number \(value)"
        case .number(let value): "the number \(value)"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }
}

/// A text that is equal only to one of the same bytes. Swift's own strings are equal when canonically equivalent, which would
/// make one of two vocabulary entries, and hashing them sorts runs of combining marks in quadratic time.
struct ByteText: Hashable, Sendable, ExpressibleByStringLiteral {
    let text: String

    init(_ text: String) { self.text = text }
    init(stringLiteral text: String) { self.text = text }

    static func == (left: ByteText, right: ByteText) -> Bool {
        left.text.utf8.count == right.text.utf8.count && left.text.utf8.elementsEqual(right.text.utf8)
    }

    func hash(into hasher: inout Hasher) {
        text.withUTF8Bytes { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
        hasher.combine(0xFF as UInt8)
    }
}
