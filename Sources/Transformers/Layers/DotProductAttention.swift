public import Attention

/// Attention of one head without projections, scaled or not.
///
///     output = softmax(scale · query·keyᵀ)·value
///
/// With a scale of 1, as it is at first, it is the dot-product attention that the paper compares its own with: Luong et al.
/// 2015, arXiv 1508.04025; Vaswani et al. 2017, arXiv 1706.03762, section 3.2.1.
public struct DotProductAttention: Sendable {
    public let device: Device
    public let scale: Double

    /// - Parameters:
    ///   - scale: what scores are multiplied by.
    ///   - device: where to compute.
    public init(scale: Double = 1, device: Device) {
        self.scale = scale
        self.device = device
    }

    /// - Parameters:
    ///   - query: `[batch, queries, dimension]`, or with heads, `[batch, heads, queries, dimension]`.
    ///   - key: `[batch, keys, dimension]`.
    ///   - value: `[batch, keys, columns]`.
    ///   - mask: which keys a query may attend.
    ///   - keyLengths: how many keys of each batch entry are real.
    ///   - pass: memory, cancelling, and attention weights of a whole model; `nil` makes one.
    /// - Returns: `[batch, queries, columns]`.
    public func callAsFunction(
        _ query: Tensor, key: Tensor, value: Tensor, mask: AttentionMask = .none, keyLengths: [Int]? = nil,
        pass: ForwardPass? = nil
    ) throws(AttentionError) -> Tensor {
        try result(query, key, value, mask, keyLengths, scores: nil, pass ?? ForwardPass(device)).output
    }

    /// As a call, with the probabilities `[batch, 1, queries, keys]`.
    public func attending(
        _ query: Tensor, key: Tensor, value: Tensor, mask: AttentionMask = .none, keyLengths: [Int]? = nil,
        pass: ForwardPass? = nil
    ) throws(AttentionError) -> (output: Tensor, weights: Tensor) {
        let made = try result(query, key, value, mask, keyLengths, scores: .probabilities, pass ?? ForwardPass(device))
        return (made.output, made.scores ?? made.output)
    }

    private func result(
        _ query: Tensor, _ key: Tensor, _ value: Tensor, _ mask: AttentionMask, _ keyLengths: [Int]?,
        scores: ScoreOutput?, _ pass: ForwardPass
    ) throws(AttentionError) -> AttentionResult {
        var inputs = AttentionInputs(query: query, key: key, value: value, mask: mask)
        inputs.keyLengths = keyLengths
        if query.rank == 3 { (inputs.queryHeads, inputs.keyValueHeads) = (1, 1) }
        let columns = value.shape.last ?? 0
        let output = try pass.tensor(query.shape.dropLast() + [columns])
        return try pass.perform(inputs, AttentionOptions(scale: scale, scores: scores), into: output)
    }
}
