/// The type of a tensor's elements as they are stored.
///
/// Arithmetic is never done in fewer bits than `float32`, whatever the storage.
public enum ElementType: String, Hashable, Sendable, CaseIterable, CustomStringConvertible {
    case float64
    case float32
    case float16
    case bfloat16
    case bool
    case int32
    case int64

    /// The size of one element in bytes.
    @inlinable public var byteCount: Int {
        switch self {
        case .float64, .int64: 8
        case .float32, .int32: 4
        case .float16, .bfloat16: 2
        case .bool: 1
        }
    }

    /// True for the types that hold real numbers.
    @inlinable public var isFloatingPoint: Bool {
        switch self {
        case .float64, .float32, .float16, .bfloat16: true
        case .bool, .int32, .int64: false
        }
    }

    public var description: String {
        switch self {
        case .float64: "f64"
        case .float32: "f32"
        case .float16: "f16"
        case .bfloat16: "bf16"
        case .bool: "bool"
        case .int32: "i32"
        case .int64: "i64"
        }
    }

    /// Half a unit in the last place, relative: the most that rounding a normal number to this type can move it.
    public var unitRoundoff: Double {
        switch self {
        case .float64: 0x1p-53
        case .float32: 0x1p-24
        case .float16: 0x1p-11
        case .bfloat16: 0x1p-8
        case .bool, .int32, .int64: 0
        }
    }
}
