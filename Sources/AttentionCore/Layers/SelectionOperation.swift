/// The largest logits of each row, with the logarithms of their softmax.
///
///     values[i, n]  = logits[i, indices[i, n]] − log Σ_j exp(logits[i, j])
///
/// Largest first; equal ones by ascending index. NaN comes after everything else, as −∞ does; a row with a NaN or +∞ has NaN values.
/// With `count` 1 this is argmax.
public struct SelectionOperation: Sendable {
    public static let mostCount = 64

    public let logits: Matrix
    public let count: Int
    /// `[rows, count]` of `int32`.
    public let indices: Matrix
    /// `[rows, count]` of `float32`.
    public let values: Matrix

    public var rows: Int { logits.rows }
    public var columns: Int { logits.columns }

    /// - Throws: ``AttentionError/invalid(_:)`` for shapes that do not fit, or a count that is not within 1 … 64 and the width.
    public init(logits: Tensor, count: Int, indices: Tensor, values: Tensor) throws(AttentionError) {
        self.logits = try Matrix(logits, "logits")
        self.indices = try Matrix(indices, "indices", types: [.int32])
        self.values = try Matrix(values, "values")
        guard count >= 1, count <= min(Self.mostCount, self.logits.columns) else {
            throw .invalid(
                "count", .value, expected: "1 … \(min(Self.mostCount, self.logits.columns))", found: "\(count)")
        }
        try self.indices.expect(rows: self.logits.rows, columns: count, "indices")
        try self.values.expect(rows: self.logits.rows, columns: count, "values")
        try self.indices.expectWritable("indices")
        try self.values.expectWritable("values")
        self.count = count
    }

    func mapped(
        _ input: (Tensor) throws(AttentionError) -> Tensor, _ output: (Tensor) throws(AttentionError) -> Tensor
    ) throws(AttentionError) -> SelectionOperation {
        try SelectionOperation(
            logits: try input(logits.tensor), count: count, indices: try output(indices.tensor),
            values: try output(values.tensor))
    }
}
