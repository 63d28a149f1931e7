/// One vector for each sequence of packed rows.
public struct PoolingOperation: Sendable {
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        /// The mean of a sequence's rows.
        case mean
        /// Its first row.
        case cls
        /// The largest of each column.
        case max
    }

    public let kind: Kind
    /// Rows of all sequences, one sequence after the other.
    public let input: Matrix
    /// Where each sequence begins, and the number of rows at the end: from 0, ascending.
    public let offsets: [Int32]
    /// Whether each vector is divided by its length, `max(‖x‖₂, 1e-12)`.
    public let isNormalized: Bool
    /// A row a sequence. A sequence without rows gives 0.
    public let output: Matrix

    public var sequences: Int { output.rows }
    public var columns: Int { output.columns }

    /// - Throws: ``AttentionError/invalid(_:)`` for shapes or offsets that do not fit.
    public init(
        _ kind: Kind, input: Tensor, offsets: [Int32], isNormalized: Bool = false, output: Tensor
    ) throws(AttentionError) {
        self.input = try Matrix(input, "input")
        self.output = try Matrix(output, "output")
        try self.output.expect(rows: offsets.count - 1, columns: self.input.columns, "output")
        try self.output.expectWritable("output")
        let isAscending = zip(offsets, offsets.dropFirst()).allSatisfy { $0 <= $1 }
        guard offsets.first == 0, offsets.last.map(Int.init) == self.input.rows, isAscending else {
            throw .invalid(
                "offsets", .value, expected: "from 0 ascending to \(self.input.rows)", found: "\(offsets.prefix(8))")
        }
        (self.kind, self.offsets, self.isNormalized) = (kind, offsets, isNormalized)
    }

    func mapped(
        _ input: (Tensor) throws(AttentionError) -> Tensor, _ output: (Tensor) throws(AttentionError) -> Tensor
    ) throws(AttentionError) -> PoolingOperation {
        try PoolingOperation(
            kind, input: try input(self.input.tensor), offsets: offsets, isNormalized: isNormalized,
            output: try output(self.output.tensor))
    }
}
