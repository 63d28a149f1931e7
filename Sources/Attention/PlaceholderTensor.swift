extension Tensor {
    /// A tensor with a shape and a type, and no memory: it stands for a mask or an operand when a plan is made.
    ///
    /// A call that is given one throws `AttentionError.invalid`.
    public static func placeholder(_ shape: [Int], _ elementType: ElementType = .float32) throws(AttentionError)
        -> Tensor
    {
        try placeholder(TensorLayout(contiguous: shape), elementType)
    }

    static func placeholder(_ layout: TensorLayout, _ elementType: ElementType) throws(AttentionError) -> Tensor {
        let bytes = try Tensor.byteCount(layout.extent.upperBound, elementType, "placeholder")
        return try Tensor(storage: PlaceholderStorage(byteCount: bytes), layout: layout, elementType: elementType)
    }

    /// True if there is no memory behind this tensor.
    public var isPlaceholder: Bool { storage is PlaceholderStorage }
}

extension AttentionMask {
    /// A mask tensor of this shape and type, to be given with each call of a plan.
    public static func tensor(shape: [Int], elementType: ElementType = .bool) throws(AttentionError) -> AttentionMask {
        .tensor(try .placeholder(shape, elementType))
    }
}

/// A size without bytes.
final class PlaceholderStorage: TensorStorage {
    let byteCount: Int
    var place: String { "nowhere" }
    var hostBytes: UnsafeMutableRawBufferPointer? { nil }

    init(byteCount: Int) { self.byteCount = byteCount }

    func download(from offset: Int, into bytes: UnsafeMutableRawBufferPointer) throws(AttentionError) {
        throw Self.error("tensor")
    }

    func upload(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(AttentionError) { throw Self.error("tensor") }

    static func error(_ operand: String) -> AttentionError {
        .invalid(operand, .value, expected: "a tensor with memory", found: "a placeholder")
    }
}
