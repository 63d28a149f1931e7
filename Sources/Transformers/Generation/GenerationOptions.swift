/// How tokens are chosen.
public struct GenerationOptions: Hashable, Sendable {
    /// The token before the first, which is given to the decoder and not returned.
    public var start: Int
    /// The token that ends a sequence, which is not returned either.
    public var end: Int
    /// Hypotheses that are followed at once; 1 takes the likeliest token each time (greedy).
    public var beams: Int
    /// `A` of the score `Σ log p / lengthᴬ`: 0 prefers short sequences, 1 is the mean over the tokens.
    public var lengthPenalty: Double
    /// The most tokens, the end token included; `nil` is the model's positions.
    public var maximumLength: Int?
    /// Whether keys and values of earlier tokens are kept. Without, each token computes all before it anew: for tests.
    public var usesCache = true

    public init(start: Int, end: Int, beams: Int = 1, lengthPenalty: Double = 0, maximumLength: Int? = nil) {
        self.start = start
        self.end = end
        self.beams = beams
        self.lengthPenalty = lengthPenalty
        self.maximumLength = maximumLength
    }
}

/// A sequence that was generated.
public struct GeneratedSequence: Hashable, Sendable {
    /// Without start and end token.
    public var tokens: [Int]
    /// `Σ log p / lengthᴬ`, the end token counted in both.
    public var score: Double
    /// Whether the end token came; otherwise the sequence has reached the most tokens.
    public var isEnded: Bool

    public init(tokens: [Int], score: Double, isEnded: Bool) {
        self.tokens = tokens
        self.score = score
        self.isEnded = isEnded
    }
}

/// What happens while sequences are generated.
public enum GenerationEvent: Hashable, Sendable {
    /// A token that nothing will change any more. With several beams it comes when all of them agree.
    case token(source: Int, position: Int, token: Int)
    /// A source is done: its sequences, best first, as many as beams at most.
    case result(source: Int, sequences: [GeneratedSequence])
}
