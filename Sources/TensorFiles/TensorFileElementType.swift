/// What one element of a stored tensor is. The raw value is the spelling in a file's header.
///
/// All elements are little-endian. The two 8-bit floats are recognised, so that files that hold them can be read and
/// copied.
public enum TensorFileElementType: String, CaseIterable, Hashable, Sendable {
    /// One byte, 0 or 1. The bytes are not checked when a file is opened.
    case bool = "BOOL"
    /// Unsigned, 1 byte.
    case uint8 = "U8"
    /// Two's complement, 1 byte.
    case int8 = "I8"
    /// Two's complement, 2 bytes.
    case int16 = "I16"
    /// Unsigned, 2 bytes.
    case uint16 = "U16"
    /// IEEE 754 binary16.
    case float16 = "F16"
    /// The upper 16 bits of a binary32.
    case bfloat16 = "BF16"
    /// Two's complement, 4 bytes.
    case int32 = "I32"
    /// Unsigned, 4 bytes.
    case uint32 = "U32"
    /// IEEE 754 binary32.
    case float32 = "F32"
    /// IEEE 754 binary64.
    case float64 = "F64"
    /// Two's complement, 8 bytes.
    case int64 = "I64"
    /// Unsigned, 8 bytes.
    case uint64 = "U64"
    /// 1 sign, 4 exponent, 3 mantissa bits.
    case float8E4M3 = "F8_E4M3"
    /// 1 sign, 5 exponent, 2 mantissa bits.
    case float8E5M2 = "F8_E5M2"

    /// Size of one element, in bytes: 1, 2, 4 or 8.
    public var byteCount: Int {
        switch self {
        case .bool, .uint8, .int8, .float8E4M3, .float8E5M2: 1
        case .int16, .uint16, .float16, .bfloat16: 2
        case .int32, .uint32, .float32: 4
        case .float64, .int64, .uint64: 8
        }
    }
}
