import TensorFiles

/// A JSON value that keeps the order of its keys.
enum JSON: Sendable {
    case null
    case bool(Bool)
    case int(Int)
    case unsigned(UInt64)
    case double(Double)
    /// A number that is no more exact than `float32`, in as few digits as tell it from its neighbours.
    case float(Float)
    case string(String)
    case array([JSON])
    case object([(String, JSON)])

    static func optional(_ text: String?) -> JSON { text.map { .string($0) } ?? .null }
    static func optional(_ number: Double?) -> JSON { number.map { .double($0) } ?? .null }

    /// The value on one line. Numbers that JSON has no way to write become strings: `"nan"`, `"inf"`.
    var text: String {
        switch self {
        case .null: "null"
        case .bool(let value): value ? "true" : "false"
        case .int(let value): "\(value)"
        case .unsigned(let value): "\(value)"
        case .double(let value): value.isFinite ? "\(value)" : "\"\(value)\""
        case .float(let value): value.isFinite ? "\(value)" : "\"\(value)\""
        case .string(let value): JSONText.quoted(value)
        case .array(let values): "[" + values.map(\.text).joined(separator: ", ") + "]"
        case .object(let members):
            "{" + members.map { JSONText.quoted($0.0) + ": " + $0.1.text }.joined(separator: ", ") + "}"
        }
    }
}
