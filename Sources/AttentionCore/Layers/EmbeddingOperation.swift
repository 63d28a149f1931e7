/// Rows of tables, scaled and added up: tokens, positions, segments.
///
///     output[i] = Σ scale · table[indices[i]]
public struct EmbeddingOperation: Sendable {
    /// One table with the row of it that each output row takes.
    public struct Term: Sendable {
        /// `[entries, width]` of `float32`, `float16` or `bfloat16`.
        public let table: Matrix
        public let indices: [Int32]
        public let scale: Float

        /// - Throws: ``AttentionError/invalid(_:)`` for an index outside of the table.
        public init(table: Tensor, indices: [Int32], scale: Double = 1) throws(AttentionError) {
            let matrix = try Matrix(table, "table", types: Tensor.weightTypes)
            if let wrong = indices.first(where: { $0 < 0 || Int($0) >= matrix.rows }) {
                throw .invalid("indices", .value, expected: "0 ..< \(matrix.rows)", found: "\(wrong)")
            }
            guard scale.isFinite else {
                throw .invalid("scale", .value, expected: "a finite number", found: "\(scale)")
            }
            self.table = matrix
            self.indices = indices
            self.scale = Float(scale)
        }
    }

    /// How many tables may be added up.
    public static let mostTerms = 3

    /// From 1 to ``mostTerms``, added in their order.
    public let terms: [Term]
    public let output: Matrix

    public var rows: Int { output.rows }
    public var columns: Int { output.columns }

    /// - Throws: ``AttentionError/invalid(_:)`` for shapes that do not fit.
    public init(_ terms: [Term], output: Tensor) throws(AttentionError) {
        let matrix = try Matrix(output, "output")
        try matrix.expectWritable("output")
        guard (1...Self.mostTerms).contains(terms.count) else {
            throw .invalid("terms", .count, expected: "1 to \(Self.mostTerms)", found: "\(terms.count)")
        }
        for term in terms {
            try term.table.expect(columns: matrix.columns, "table")
            guard term.indices.count == matrix.rows else {
                throw .invalid("indices", .count, expected: "\(matrix.rows), one a row", found: "\(term.indices.count)")
            }
        }
        self.terms = terms
        self.output = matrix
    }

    func mapped(
        _ input: (Tensor) throws(AttentionError) -> Tensor, _ output: (Tensor) throws(AttentionError) -> Tensor
    ) throws(AttentionError) -> EmbeddingOperation {
        var terms: [Term] = []
        for term in self.terms {
            terms.append(
                try Term(table: try input(term.table.tensor), indices: term.indices, scale: Double(term.scale)))
        }
        return try EmbeddingOperation(terms, output: try output(self.output.tensor))
    }
}
