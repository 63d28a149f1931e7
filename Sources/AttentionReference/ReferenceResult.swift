import AttentionCore

/// Attention in `Double`, with what the error bounds are made of.
public struct ReferenceResult: Sendable {
    /// `[batch, queryHeads, queryLength, valueDimension]` in row-major order.
    public internal(set) var output: [Double]
    /// `[batch, queryHeads, queryLength]`.
    public internal(set) var logSumExp: [Double]
    /// `[batch, queryHeads, queryLength, keyLength]`, or empty if no scores were asked for.
    public internal(set) var scores: [Double]
    /// What bounds the error of ``scores``, element by element.
    public internal(set) var scoreBounds: [ScoreBound]
    /// One an element of ``output``.
    public internal(set) var bounds: [OutputBound]
    /// One a row.
    public internal(set) var rows: [RowFacts]
}

/// What bounds the error of one output element.
public struct OutputBound: Sendable {
    /// `C1 = Σ p T |v| + |O| Σ p T`.
    public var c1 = 0.0
    /// The same with `g` in place of `T`.
    public var c2 = 0.0
    /// `A = Σ p |v|`.
    public var a = 0.0
    /// `Σ |v|` of the keys whose weight single precision may take for zero.
    public var lost = 0.0
}

/// What bounds the error of one score: `T`, and for probabilities what ``OutputBound`` holds for a value of 1 at that key.
public struct ScoreBound: Sendable {
    public var t = 0.0
    /// The largest of what the score is computed from: `Σ |q·k|` before the scale, or `T`.
    public var intermediate = 0.0
    public var probability = OutputBound()
}

/// What a row is like.
public struct RowFacts: Sendable {
    /// `N`, the keys it attends.
    public var attended = 0
    /// The largest `T` of these, and the largest of what their scores are computed from.
    public var largestT = 0.0
    public var largestIntermediate = 0.0
    /// The values of the key that is ahead of all others, and of the sink, by more than ``Contract/exactLead``; empty if none is.
    public var leaderValues: [Double] = []
    /// True for a NaN or +∞ among the scores of the attended keys.
    public var isBroken = false
}
