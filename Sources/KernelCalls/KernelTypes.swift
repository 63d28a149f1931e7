import AttentionCore

/// How operands are stored, by the name the text knows.
public enum KernelStorage: String, Codable, Hashable, Sendable {
    case f32, f16, bf16

    public init?(_ type: ElementType) {
        switch type {
        case .float32: self = .f32
        case .float16: self = .f16
        case .bfloat16: self = .bf16
        case .float64, .bool, .int32, .int64: return nil
        }
    }
}

extension ElementType {
    /// The number of this storage in Kernels/common/types.clh. Masks of `float64` are brought to `float32` on the host.
    public var kernelStorage: Int32 {
        switch self {
        case .float32, .float64, .int32, .int64: 0
        case .float16: 1
        case .bfloat16: 2
        case .bool: 3
        }
    }
}

extension BlockTable {
    /// `blocks` of the kernels, rows filled up with block 0, which nothing reads there.
    public var kernelTable: [Int32] {
        rows.flatMap { row in row.map { Int32($0) } + [Int32](repeating: 0, count: columns - row.count) }
    }
}
