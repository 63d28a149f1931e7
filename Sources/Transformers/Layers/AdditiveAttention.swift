public import Attention

/// Attention whose scores are a small network of the query and the key, fused: no tensor of size queries × keys × width
/// anywhere.
///
///     Bahdanau:  score[i, j] = v · tanh(W_q·query[i] + W_k·key[j] + b)
///     Keras:     score[i, j] = Σ scale · tanh(query[i] + key[j])
///     output[i] = Σ_j softmax_j(score)[i, j] · value[j]
///
/// Source: Bahdanau et al. 2014, arXiv 1409.0473, appendix A.1.2.
public struct AdditiveAttention: Sendable {
    public let device: Device
    /// With its bias inside: it is added once to each query rather than to each pair.
    private let queryProjection: Linear?
    private let keyProjection: Linear?
    private let weight: Tensor

    /// The form of Bahdanau et al.
    ///
    /// - Parameters:
    ///   - queryWeight: `[width, queryDimension]`.
    ///   - keyWeight: `[width, keyDimension]`.
    ///   - bias: `[width]`.
    ///   - scoreWeight: `[width]`.
    ///   - device: where to compute.
    public init(
        queryWeight: Tensor, keyWeight: Tensor, bias: Tensor? = nil, scoreWeight: Tensor, device: Device
    ) throws(AttentionError) {
        guard queryWeight.rank == 2, keyWeight.rank == 2, queryWeight.shape[0] == keyWeight.shape[0] else {
            throw .invalid(
                "keyWeight", .shape, expected: "[width, keyDimension] with the width of \(queryWeight.shape)",
                found: "\(keyWeight.shape)")
        }
        let width = queryWeight.shape[0]
        for (name, vector) in [("bias", bias), ("scoreWeight", scoreWeight)] {
            guard let vector, vector.shape != [width] else { continue }
            throw .invalid(name, .shape, expected: "[\(width)]", found: "\(vector.shape)")
        }
        queryProjection = try Linear(weight: queryWeight, bias: try bias?.converted(to: .float32), device: device)
        keyProjection = try Linear(weight: keyWeight, device: device)
        weight = try device.parameter(try scoreWeight.converted(to: .float32))
        self.device = device
    }

    /// The form of Keras, without projections.
    ///
    /// - Parameters:
    ///   - scale: `[width]`; the width of queries and keys.
    ///   - device: where to compute.
    public init(scale: Tensor, device: Device) throws(AttentionError) {
        guard scale.rank == 1 else {
            throw .invalid("scale", .rank, expected: "[width]", found: "\(scale.shape)")
        }
        (queryProjection, keyProjection) = (nil, nil)
        weight = try device.parameter(try scale.converted(to: .float32))
        self.device = device
    }

    /// - Parameters:
    ///   - query: `[batch, queries, queryDimension]`.
    ///   - key: `[batch, keys, keyDimension]`.
    ///   - value: `[batch, keys, columns]`.
    ///   - keyLengths: how many keys of each batch entry are real.
    ///   - pass: memory, cancelling, and attention weights of a whole model; `nil` makes one.
    /// - Returns: `[batch, queries, columns]`.
    public func callAsFunction(
        _ query: Tensor, key: Tensor, value: Tensor, keyLengths: [Int]? = nil, pass: ForwardPass? = nil
    ) throws(AttentionError) -> Tensor {
        try result(query, key, value, keyLengths, wantsWeights: false, pass ?? ForwardPass(device)).output
    }

    /// As a call, with the probabilities `[batch, queries, keys]`.
    public func attending(
        _ query: Tensor, key: Tensor, value: Tensor, keyLengths: [Int]? = nil, pass: ForwardPass? = nil
    ) throws(AttentionError) -> (output: Tensor, weights: Tensor) {
        let made = try result(query, key, value, keyLengths, wantsWeights: true, pass ?? ForwardPass(device))
        return (made.output, made.weights ?? made.output)
    }

    private func result(
        _ query: Tensor, _ key: Tensor, _ value: Tensor, _ keyLengths: [Int]?, wantsWeights: Bool,
        _ pass: ForwardPass
    ) throws(AttentionError) -> (output: Tensor, weights: Tensor?) {
        for (name, tensor) in [("query", query), ("key", key), ("value", value)] where tensor.rank != 3 {
            throw .invalid(name, .rank, expected: "[batch, length, width]", found: "\(tensor.shape)")
        }
        let projectedQuery = try queryProjection?(query, pass: pass) ?? query
        let projectedKey = try keyProjection?(key, pass: pass) ?? key
        let output = try pass.tensor([query.shape[0], query.shape[1], value.shape[2]])
        let weights = wantsWeights ? try pass.tensor([query.shape[0], query.shape[1], key.shape[1]]) : nil
        try pass.perform(
            .additiveAttention(
                AdditiveAttentionOperation(
                    query: projectedQuery, key: projectedKey, value: value, weight: weight, keyLengths: keyLengths,
                    output: output, probabilities: weights)))
        return (output, weights)
    }
}
