/// A tensor seen as rows: all dimensions but the last are one, and the elements of a row follow each other.
///
/// Layers work on these, so that `[batch, length, features]`, packed rows and slices of a wider tensor are all the same to them.
public struct Matrix: Sendable {
    public let tensor: Tensor
    public let rows: Int
    public let columns: Int
    /// From the beginning of a row to that of the next, in elements.
    public let rowStride: Int

    /// Where the first row begins in the storage, in elements.
    public var offset: Int { tensor.layout.offset }
    public var elementType: ElementType { tensor.elementType }

    /// - Parameters:
    ///   - tensor: of rank 1 or more.
    ///   - operand: what errors call it.
    ///   - types: the element types that are taken.
    /// - Throws: ``AttentionError/invalid(_:)`` unless the last stride is 1 and the other dimensions lie behind each other at one
    ///   stride.
    public init(
        _ tensor: Tensor, _ operand: String, types: [ElementType] = [.float32]
    ) throws(AttentionError) {
        guard types.contains(tensor.elementType) else {
            throw .invalid(
                operand, .elementType, expected: types.map(\.description).joined(separator: ", "),
                found: "\(tensor.elementType)")
        }
        guard let columns = tensor.shape.last else {
            throw .invalid(operand, .rank, expected: "a rank of 1 or more", found: "0")
        }
        let stride = Self.rowStride(tensor)
        guard let stride, columns <= 1 || tensor.strides[tensor.rank - 1] == 1 else {
            throw .invalid(
                operand, .shape, expected: "rows without gaps, at one stride",
                found: "shape \(tensor.shape) with strides \(tensor.strides)")
        }
        self.tensor = tensor
        self.columns = columns
        // Without columns the others may be of any size.
        rows = try TensorLayout.product(Array(tensor.shape.dropLast()), operand: operand)
        rowStride = stride
    }

    /// The one stride of all dimensions but the last; `nil` if they have none, or one that goes backwards.
    private static func rowStride(_ tensor: Tensor) -> Int? {
        if tensor.count == 0 { return 0 }
        var stride: Int?
        var count = 1
        for axis in tensor.shape.indices.dropLast().reversed() where tensor.shape[axis] != 1 {
            let (expected, overflow) = (stride ?? 0).multipliedReportingOverflow(by: count)
            if stride != nil, overflow || tensor.strides[axis] != expected { return nil }
            if stride == nil { stride = tensor.strides[axis] }
            count *= tensor.shape[axis]
        }
        let found = stride ?? tensor.shape.last ?? 0
        return found >= 0 ? found : nil
    }

    /// Refuses a matrix of another size.
    func expect(rows: Int? = nil, columns: Int? = nil, _ operand: String) throws(AttentionError) {
        guard rows ?? self.rows == self.rows, columns ?? self.columns == self.columns else {
            throw .invalid(
                operand, .shape,
                expected:
                    "\(rows.map(String.init) ?? "any number of") rows of \(columns.map(String.init) ?? "any width")",
                found: "\(self.rows) rows of \(self.columns), shape \(tensor.shape)")
        }
    }

    /// Refuses rows that share elements, which nobody can write to.
    func expectWritable(_ operand: String) throws(AttentionError) {
        guard rows <= 1 || rowStride >= columns else {
            throw .invalid(operand, .overlap, expected: "rows that are apart", found: "a row stride of \(rowStride)")
        }
    }
}

extension Tensor {
    /// Refuses a tensor that is no vector of `count` numbers of `float32` which follow each other.
    func expectVector(_ count: Int, _ operand: String) throws(AttentionError) {
        guard elementType == .float32 else {
            throw .invalid(operand, .elementType, expected: "f32", found: "\(elementType)")
        }
        guard self.count == count, layout.isContiguous else {
            throw .invalid(
                operand, .shape, expected: "\(count) numbers that follow each other",
                found: "shape \(shape) with strides \(strides)")
        }
    }
}
