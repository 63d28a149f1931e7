/// Additive attention over projected queries and keys, without a tensor of size queries × keys × width anywhere.
///
///     score[i, j] = Σ_a weight[a] · tanh(query[i, a] + key[j, a])
///     output[i]   = Σ_j softmax_j(score)[i, j] · value[j]
///
/// | operand | shape |
/// |---|---|
/// | query | `[batch, queries, width]` |
/// | key | `[batch, keys, width]` |
/// | value | `[batch, keys, columns]` |
/// | weight | `[width]` |
/// | keyLengths | one a batch entry: keys from there on are padding, and nothing of them reaches a result |
/// | output | `[batch, queries, columns]` |
/// | probabilities | `[batch, queries, keys]`; 0 for padding |
///
/// A row without a key gives 0. Source: Bahdanau et al. 2014, arXiv 1409.0473, appendix A.1.2.
/// Cost: `batch · queries · keys · (width + columns)`, with a tanh for each of the width.
public struct AdditiveAttentionOperation: Sendable {
    public let query: Tensor
    public let key: Tensor
    public let value: Tensor
    public let weight: Tensor
    public let keyLengths: [Int]
    public let output: Tensor
    public let probabilities: Tensor?

    public var batch: Int { query.shape[0] }
    public var queries: Int { query.shape[1] }
    public var keys: Int { key.shape[1] }
    public var width: Int { query.shape[2] }
    public var columns: Int { value.shape[2] }

    /// - Throws: ``AttentionError/invalid(_:)`` for shapes or types that do not fit.
    public init(
        query: Tensor, key: Tensor, value: Tensor, weight: Tensor, keyLengths: [Int]? = nil, output: Tensor,
        probabilities: Tensor? = nil
    ) throws(AttentionError) {
        guard query.rank == 3, key.rank == 3, value.rank == 3 else {
            let found = "ranks \(query.rank), \(key.rank), \(value.rank)"
            throw .invalid("query, key, value", .rank, expected: "[batch, length, width] each", found: found)
        }
        let (batch, queries, width) = (query.shape[0], query.shape[1], query.shape[2])
        let (keys, columns) = (key.shape[1], value.shape[2])
        try Self.expect(query, [batch, queries, width], "query")
        try Self.expect(key, [batch, keys, width], "key")
        try Self.expect(value, [batch, keys, columns], "value")
        try Self.expect(output, [batch, queries, columns], "output")
        if let probabilities { try Self.expect(probabilities, [batch, queries, keys], "probabilities") }
        for (tensor, name) in [(output, "output"), (probabilities ?? output, "probabilities")]
        where tensor.layout.mayOverlapItself {
            throw .invalid(name, .overlap, expected: "elements that are apart", found: "strides \(tensor.strides)")
        }
        try weight.expectVector(width, "weight")
        var lengths = keyLengths ?? []
        if keyLengths == nil { lengths = try Array(filled: keys, batch, "query") }
        guard lengths.count == batch else {
            throw .invalid("keyLengths", .count, expected: "\(batch), one a batch entry", found: "\(lengths.count)")
        }
        if let wrong = lengths.first(where: { $0 < 0 || $0 > keys }) {
            throw .invalid("keyLengths", .value, expected: "0 … \(keys)", found: "\(wrong)")
        }
        (self.query, self.key, self.value, self.weight) = (query, key, value, weight)
        (self.keyLengths, self.output, self.probabilities) = (lengths, output, probabilities)
    }

    /// Rows have no gaps; batch entries and rows may lie at any stride.
    private static func expect(_ tensor: Tensor, _ shape: [Int], _ operand: String) throws(AttentionError) {
        guard tensor.elementType == .float32 else {
            throw .invalid(operand, .elementType, expected: "f32", found: "\(tensor.elementType)")
        }
        guard tensor.shape == shape, shape[2] <= 1 || tensor.strides[2] == 1 else {
            throw .invalid(
                operand, .shape, expected: "\(shape) with rows without gaps",
                found: "\(tensor.shape) with strides \(tensor.strides)")
        }
    }

    func mapped(
        _ input: (Tensor) throws(AttentionError) -> Tensor, _ output: (Tensor) throws(AttentionError) -> Tensor
    ) throws(AttentionError) -> AdditiveAttentionOperation {
        var probabilities: Tensor?
        if let tensor = self.probabilities { probabilities = try output(tensor) }
        return try AdditiveAttentionOperation(
            query: try input(query), key: try input(key), value: try input(value), weight: try input(weight),
            keyLengths: keyLengths, output: try output(self.output), probabilities: probabilities)
    }
}
