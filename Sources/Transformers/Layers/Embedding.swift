public import Attention

/// Rows of a table, one for each token.
///
///     output[i] = scale · table[tokens[i]] + positions[position[i]]
///
/// Source: Vaswani et al. 2017, arXiv 1706.03762, sections 3.4 and 3.5.
public struct Embedding: Sendable {
    public let device: Device
    public let entries: Int
    public let dimension: Int
    public let scale: Double
    let table: Tensor

    /// - Parameters:
    ///   - parameters: `weight`, `[entries, dimension]`.
    ///   - entries: how many tokens there are.
    ///   - dimension: the width of a row.
    ///   - scale: what each row is multiplied by: √dimension in the paper.
    ///   - device: where to compute.
    public init(_ parameters: Parameters, entries: Int, dimension: Int, scale: Double = 1, device: Device) throws {
        try self.init(table: try parameters.tensor("weight", [entries, dimension]), scale: scale, device: device)
    }

    /// - Parameters:
    ///   - table: `[entries, dimension]` of `float32`, `float16` or `bfloat16`.
    ///   - scale: what each row is multiplied by.
    ///   - device: where to compute.
    public init(table: Tensor, scale: Double = 1, device: Device) throws(AttentionError) {
        guard table.rank == 2 else {
            throw .invalid("table", .rank, expected: "[entries, dimension]", found: "\(table.shape)")
        }
        self.table = try device.parameter(table)
        (entries, dimension, self.scale, self.device) = (table.shape[0], table.shape[1], scale, device)
    }

    public static func shapes(entries: Int, dimension: Int) -> [ParameterShape] {
        [ParameterShape("weight", [entries, dimension])]
    }

    /// - Parameters:
    ///   - tokens: rows of the table, sequence after sequence.
    ///   - positions: rows of other tables which are added, as many as there are tokens.
    ///   - shape: dimensions before the width; `nil` is `[tokens]`.
    ///   - pass: memory, cancelling, and attention weights of a whole model; `nil` makes one.
    /// - Throws: `AttentionError.invalid` for a token or position outside of its table, or more than two other tables.
    public func callAsFunction(
        _ tokens: [Int32], adding positions: [(table: Embedding, indices: [Int32])] = [], shape: [Int]? = nil,
        pass: ForwardPass? = nil
    ) throws(AttentionError) -> Tensor {
        let pass = pass ?? ForwardPass(device)
        let output = try pass.tensor((shape ?? [tokens.count]) + [dimension])
        var terms = [try EmbeddingOperation.Term(table: table, indices: tokens, scale: scale)]
        for (other, indices) in positions {
            terms.append(try EmbeddingOperation.Term(table: other.table, indices: indices, scale: other.scale))
        }
        if tokens.isEmpty { return output }
        try pass.perform(.embedding(EmbeddingOperation(terms, output: output)))
        return output
    }

    /// The paper's table of positions:
    ///
    ///     table[p, 2i] = sin(p / 10000^(2i / dimension)),   table[p, 2i + 1] = cos(p / 10000^(2i / dimension))
    ///
    /// computed in `Double` and rounded once.
    public static func sinusoidal(positions: Int, dimension: Int, device: Device) throws(AttentionError) -> Embedding {
        guard (0...1 << 24).contains(dimension) else {
            throw .invalid("dimension", .value, expected: "0 … \(1 << 24)", found: "\(dimension)")
        }
        let frequencies = (0..<(dimension + 1) / 2).map { power(10000, -2 * Double($0) / Double(dimension)) }
        let table = try Tensor.filled([positions, dimension]) { index in
            let (position, column) = index.quotientAndRemainder(dividingBy: dimension)
            let angle = Double(position) * frequencies[column / 2]
            return Float(column.isMultiple(of: 2) ? sine(angle) : cosine(angle))
        }
        return try Embedding(table: table, device: device)
    }
}
