import AttentionCore

/// The `matrix` of Kernels/common/layer.clh, byte for byte.
public struct KernelMatrix: BitwiseCopyable, Sendable {
    public var offset: Int64 = 0
    public var stride: Int64 = 0

    public init() {}

    /// `matrix` in a buffer that begins `shift` elements into the storage.
    public init(_ matrix: Matrix, shift: Int = 0) {
        offset = Int64(matrix.offset - shift)
        stride = Int64(matrix.rowStride)
    }

    /// Whether every row begins at a multiple of four elements of its buffer.
    var isAligned: Bool { offset % 4 == 0 && stride % 4 == 0 }
}

/// The `head_rows` of Kernels/common/layer.clh, byte for byte.
public struct KernelHeadRows: BitwiseCopyable, Sendable {
    public var offset: Int64 = 0
    public var batch: Int64 = 0
    public var head: Int64 = 0
    public var row: Int64 = 0

    public init() {}

    /// `[batch, heads, rows, columns]` or `[batch, rows, columns]` in a buffer that begins `shift` elements into the storage.
    public init(_ tensor: Tensor, shift: Int = 0) {
        offset = Int64(tensor.layout.offset - shift)
        batch = Int64(tensor.strides[0])
        head = tensor.rank == 4 ? Int64(tensor.strides[1]) : 0
        row = Int64(tensor.strides[tensor.rank - 2])
    }
}

extension Activation {
    /// `ACTIVATION_…` of Kernels/common/layer.clh.
    public var kernelNumber: Int32 {
        switch self {
        case .none: 0
        case .relu: 1
        case .gelu: 2
        case .geluTanh: 3
        case .silu: 4
        }
    }
}
