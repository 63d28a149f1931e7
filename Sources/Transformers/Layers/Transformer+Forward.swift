public import Attention

/// Sources after the encoder.
public struct EncodedSources: Sendable {
    /// `[1, rows, modelDimension]`, the rows of one source after those of another.
    public let memory: Tensor
    /// Where each source begins, and the number of rows at the end.
    public let offsets: [Int]

    public var count: Int { offsets.count - 1 }
}

extension Transformer {
    /// Encodes sources of any lengths.
    ///
    /// - Parameters:
    ///   - sources: tokens of each.
    ///   - pass: memory, cancelling, and attention weights of a whole model; `nil` makes one.
    /// - Throws: `AttentionError.invalid` for tokens outside of the vocabulary, or more of them than positions.
    public func encode(_ sources: [[Int]], pass: ForwardPass? = nil) throws(AttentionError) -> EncodedSources {
        let pass = pass ?? ForwardPass(device)
        let packed = try PackedTokens(
            sources, longest: configuration.maximumPositions, vocabulary: configuration.sourceVocabulary, "source")
        return try pass.run { () throws(AttentionError) in
            let rows = try sourceEmbedding(
                packed.tokens, adding: [(sourcePositions, packed.positions)], shape: [1, packed.tokens.count],
                pass: pass)
            let memory =
                packed.tokens.isEmpty ? rows : try encoder(rows, mask: .packed(queries: packed.offsets), pass: pass)
            return EncodedSources(memory: memory, offsets: packed.offsets)
        }
    }

    /// The logits of each place of the targets, `[length, targetVocabulary]` a target: what a training or scoring pass wants.
    ///
    /// - Parameters:
    ///   - source: tokens of each source.
    ///   - target: tokens of each target, the start token included.
    ///   - pass: memory, cancelling, and attention weights of a whole model; `nil` makes one.
    public func logits(
        source: [[Int]], target: [[Int]], pass: ForwardPass? = nil
    ) throws(AttentionError) -> [Tensor] {
        let pass = pass ?? ForwardPass(device)
        return try logits(try encode(source, pass: pass), target: target, pass: pass)
    }

    /// The form above for sources that are encoded.
    public func logits(
        _ sources: EncodedSources, target: [[Int]], pass: ForwardPass? = nil
    ) throws(AttentionError) -> [Tensor] {
        guard sources.count == target.count else {
            throw .invalid("target", .count, expected: "\(sources.count), one a source", found: "\(target.count)")
        }
        let pass = pass ?? ForwardPass(device)
        let packed = try PackedTokens(
            target, longest: configuration.maximumPositions, vocabulary: configuration.targetVocabulary, "target")
        let width = configuration.targetVocabulary
        if packed.tokens.isEmpty {
            return try target.map { (_) throws(AttentionError) in try pass.tensor([0, width]) }
        }
        let all = try pass.run { () throws(AttentionError) in
            try generator(try decoded(packed, packed.offsets, sources, pass), pass: pass)
        }
        var parts: [Tensor] = []
        for (from, to) in zip(packed.offsets, packed.offsets.dropFirst()) {
            parts.append(
                try all.viewed(
                    shape: [to - from, width], strides: [width, 1], offset: all.layout.offset + from * width))
        }
        return parts
    }

    /// The decoder's rows for whole targets, `[1, tokens, modelDimension]`.
    ///
    /// - Parameter rowOffsets: where the rows begin that attend each source.
    func decoded(
        _ packed: PackedTokens, _ rowOffsets: [Int], _ sources: EncodedSources, _ pass: ForwardPass
    ) throws(AttentionError) -> Tensor {
        let rows = try targetEmbedding(
            packed.tokens, adding: [(targetPositions, packed.positions)], shape: [1, packed.tokens.count], pass: pass)
        return try decoder(
            rows, memory: sources.memory, targetMask: .packed(queries: packed.offsets, isCausal: true),
            memoryMask: .packed(queries: rowOffsets, keys: sources.offsets), pass: pass)
    }
}
