public import Attention

/// Embeddings held to those of the definition in `Double`: the shortest text, the one of middle length, and the longest.
///
/// ```swift
/// let found = try encoder.embeddings(texts)
/// let check = try EmbeddingCheck(found, of: texts, folder: folder, weightType: nil)
/// print(check, check.isPassed)
/// ```
///
/// Cost: the model a second time in memory, and some milliseconds a token.
public struct EmbeddingCheck: Sendable, CustomStringConvertible {
    /// What a component of a vector of length 1 may be off by, with weights as the file has them.
    public static let largestDifference = 2e-6
    /// The cosine that weights of 16 bits have to keep to.
    public static let smallestCosine = 0.9999

    /// How many texts were computed, of how many, and their tokens.
    public let texts: Int
    public let allTexts: Int
    public let tokens: Int
    /// The largest difference of a component; NaN where one is no number.
    public let difference: Double
    /// The smallest cosine of a vector with the right one.
    public let cosine: Double
    /// Whether the bound is that of the cosine.
    public let isByCosine: Bool

    public var isPassed: Bool { isByCosine ? cosine >= Self.smallestCosine : difference <= Self.largestDifference }

    public var description: String {
        let found =
            isByCosine
            ? "smallest cosine \(Float(cosine)), at least \(Self.smallestCosine)"
            : "largest difference \(Float(difference)), at most \(Self.largestDifference)"
        return "\(texts) of \(allTexts) texts, \(tokens) tokens, against the reference: \(found)"
    }

    /// - Parameters:
    ///   - found: what a device gave for all of `texts`, with the encoder's own options.
    ///   - texts: as many as there are embeddings.
    ///   - folder: the model's.
    ///   - weightType: what the device's weights were brought to; the reference takes them as the file has them.
    /// - Throws: As ``SentenceEncoder/init(folder:weightType:device:)``; `AttentionError.invalid` for counts that differ.
    public init(
        _ found: [SentenceEncoder.Embedding], of texts: [String], folder: ModelFolder, weightType: ElementType?
    ) throws {
        guard found.count == texts.count else {
            throw AttentionError.invalid("texts", .count, expected: "\(found.count)", found: "\(texts.count)")
        }
        let order = found.indices.sorted { (found[$0].tokens.count, $0) < (found[$1].tokens.count, $1) }
        let chosen = Set([order.first, order.isEmpty ? nil : order[order.count / 2], order.last].compactMap { $0 })
            .sorted()
        let encoder = try SentenceEncoder(folder: folder, device: .reference)
        let right = try encoder.vectors(chosen.map { found[$0].tokens })
        var (difference, cosine) = (0.0, 1.0)
        for (index, expected) in zip(chosen, right) {
            let vector = found[index].vector
            let off = zip(vector, expected).map { abs(Double($0) - Double($1)) }
            // NaN stays once it is there, where `max` would pass over it.
            for one in off where !(one <= difference) && !difference.isNaN { difference = one }
            let angle = SentenceEncoder.similarity([vector, expected])[0][1]
            if !(angle >= cosine) && !cosine.isNaN { cosine = angle }
        }
        (self.texts, allTexts, tokens) = (chosen.count, found.count, chosen.reduce(0) { $0 + found[$1].tokens.count })
        (self.difference, self.cosine, isByCosine) = (difference, cosine, weightType != nil && weightType != .float32)
    }
}
