import Attention

/// The tokens of several sequences, one sequence after the other.
struct PackedTokens: Sendable {
    let tokens: [Int32]
    /// The place of each token in its sequence.
    let positions: [Int32]
    /// Where each sequence begins, and the number of tokens at the end.
    let offsets: [Int]

    /// - Throws: `AttentionError.invalid` for a sequence beyond `longest`, or a token that is no row of a table of
    ///   `vocabulary`.
    init(
        _ sequences: [[Int]], longest: Int, vocabulary: Int, _ name: String
    ) throws(AttentionError) {
        var tokens: [Int32] = []
        var positions: [Int32] = []
        var offsets = [0]
        for (index, sequence) in sequences.enumerated() {
            guard sequence.count <= longest else {
                throw .invalid(
                    name, .count, expected: "at most \(longest) tokens, the model's positions",
                    found: "\(sequence.count) in sequence \(index)")
            }
            for (position, token) in sequence.enumerated() {
                guard token >= 0, token < vocabulary, let small = Int32(exactly: token) else {
                    throw .invalid(
                        name, .value, expected: "tokens of 0 ..< \(vocabulary)",
                        found: "\(token) in sequence \(index)")
                }
                tokens.append(small)
                positions.append(Int32(clamping: position))
            }
            offsets.append(tokens.count)
        }
        (self.tokens, self.positions, self.offsets) = (tokens, positions, offsets)
    }
}
