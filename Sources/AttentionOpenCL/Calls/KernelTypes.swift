import AttentionCore

/// How operands are stored, by the name the text knows.
enum KernelStorage: String, Hashable, Sendable {
    case f32, f16, bf16

    init?(_ type: ElementType) {
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
    var kernelStorage: Int32 {
        switch self {
        case .float32, .float64, .int32, .int64: 0
        case .float16: 1
        case .bfloat16: 2
        case .bool: 3
        }
    }
}
