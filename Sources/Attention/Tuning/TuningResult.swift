public import AttentionCore

/// What a search for tiles found.
public struct TuningResult: Hashable, Sendable {
    public let shape: AttentionShape
    /// The kernel that plans take now, and its tile sizes by their names in its text.
    public let kernel: String
    public let sizes: [String: Int]
    /// What an untuned plan takes.
    public let untunedKernel: String
    public let untunedSizes: [String: Int]
    /// Medians of a call with the untuned plan and with this one, in milliseconds, taken in turns.
    public let before: Double
    public let after: Double
    /// Candidates that were timed, and those that were left out: not possible on this device, or wrong.
    public let timed: Int
    public let refused: [String]
    /// The search was asked to stop before it had looked at everything.
    public let isPartial: Bool
    /// Whether the choice was written to disk, for processes to come. False where the untuned plan is as fast, and where nothing is kept.
    public let isKept: Bool

    /// Whether the search found something faster.
    public var isFaster: Bool { kernel != untunedKernel || sizes != untunedSizes }
}

/// Where a search for tiles is.
public struct TuningProgress: Hashable, Sendable {
    /// Candidates looked at, and how many there would be at most.
    public let looked: Int
    public let most: Int
    /// What is looked at: `flash_tiled ITEMS_Q=8 …`.
    public let candidate: String
    /// Milliseconds of a call with the untuned plan, and with the best so far.
    public let before: Double
    public let best: Double
}
