/// The operands of one attention call. Shapes are named in ``AttentionShape``.
public struct AttentionInputs: Sendable {
    /// `[batch, queryHeads, queryLength, headDimension]` by any strides, or `[batch, queryLength, queryHeads · headDimension]`.
    public var query: Tensor
    /// `[batch, keyValueHeads, keyLength, headDimension]`, or of rank 3 as the query; of the query's type.
    public var key: Tensor
    /// `[batch, keyValueHeads, keyLength, valueDimension]`, or of rank 3; of any float type.
    public var value: Tensor
    public var mask = AttentionMask.none
    /// How many keys of each batch entry (of each sequence, if packed) are real; the rest is padding.
    public var keyLengths: [Int]?
    /// Where the keys of each batch entry lie in `key` and `value`, which are pools of blocks then; needs `keyLengths`.
    public var blockTable: BlockTable?
    /// Keys of earlier calls, `[batch, keyValueHeads, pastLength, headDimension]`; they stand before `key`.
    public var pastKey: Tensor?
    /// Values of earlier calls, `[batch, keyValueHeads, pastLength, valueDimension]`.
    public var pastValue: Tensor?
    /// One slope a query head: `slope · |key position − query position|` is taken off the score.
    public var alibiSlopes: [Double]?
    /// One logit a query head that takes part in the denominator only; −∞ is no sink.
    public var sinks: [Double]?
    /// Where each packed sequence begins, and the total at the end: from 0, ascending.
    public var cumulativeQueryOffsets: [Int]?
    public var cumulativeKeyOffsets: [Int]?
    /// The number of heads; needed for operands of rank 3, checked for rank 4.
    public var queryHeads: Int?
    public var keyValueHeads: Int?

    public init(query: Tensor, key: Tensor, value: Tensor, mask: AttentionMask = .none) {
        self.query = query
        self.key = key
        self.value = value
        self.mask = mask
    }
}

/// Which scores a call also returns, numbered as ONNX does.
public enum ScoreOutput: Int, Hashable, Sendable, CaseIterable {
    /// `scale · q·k`, excluded pairs too.
    case scaled = 0
    /// After softcap, excluded pairs too.
    case softCapped = 1
    /// After mask and ALiBi; −∞ where excluded.
    case masked = 2
    /// After softmax; 0 where excluded.
    case probabilities = 3
}

/// The numbers of one attention call that are no tensors.
public struct AttentionOptions: Hashable, Sendable {
    /// What `q·k` is multiplied by; any finite number. `nil` is `1/√headDimension`.
    public var scale: Double?
    /// `s ← c·tanh(s/c)` for c > 0; 0 or `nil` is none.
    public var softcap: Double?
    /// Scores to return as well.
    public var scores: ScoreOutput?
    /// Whether to return the natural logarithm of each row's sum of exponentials.
    public var logSumExp = false

    public init(
        scale: Double? = nil, softcap: Double? = nil, scores: ScoreOutput? = nil, logSumExp: Bool = false
    ) {
        self.scale = scale
        self.softcap = softcap
        self.scores = scores
        self.logSumExp = logSumExp
    }
}

/// What one attention call writes.
public struct AttentionOutputs: Sendable {
    /// `[batch, queryHeads, queryLength, valueDimension]`, laid out and typed as the query was given.
    public var output: Tensor
    /// `[batch, queryHeads, queryLength]`, `float32`.
    public var logSumExp: Tensor?
    /// `[batch, queryHeads, queryLength, keyLength]`, of the query's type.
    public var scores: Tensor?
    /// The past keys and the new ones, bit for bit, when past ones were given.
    public var presentKey: Tensor?
    public var presentValue: Tensor?

    public init(
        output: Tensor, logSumExp: Tensor? = nil, scores: Tensor? = nil, presentKey: Tensor? = nil,
        presentValue: Tensor? = nil
    ) {
        self.output = output
        self.logSumExp = logSumExp
        self.scores = scores
        self.presentKey = presentKey
        self.presentValue = presentValue
    }
}
