extension EncoderDecoderConfiguration {
    /// The tensors of the model, called as in PyTorch's nn.Transformer and around it: those of ``Transformer/Configuration/shapes``.
    ///
    /// Matrices are as nn.Linear has them, [outputs, inputs]; `in_proj_weight` holds those of query, key and value one below the
    /// other. A tied target embedding is the generator's weight, and need not be stored twice.
    public var tensors: [Checkpoint.Expected] {
        var all = transformer.shapes.expected
        if tiesTargetEmbedding {
            all.append(
                Checkpoint.Expected("target_embedding.weight", [targetTokens.count, modelDimension], isOptional: true))
        }
        // The generator is no part of nn.Transformer, so its bias may be there even if the layers have none.
        for index in all.indices where all[index].name == "generator.bias" { all[index].isOptional = !hasBias }
        return all
    }

    /// Opens the folder's checkpoint and holds it to this configuration.
    ///
    /// - Throws: ``CheckpointError``.
    public func checkpoint(folder: ModelFolder) throws(CheckpointError) -> Checkpoint {
        let checkpoint = try Checkpoint(folder: folder)
        try checkpoint.check(tensors)
        return checkpoint
    }

    /// The tokenizer of the source.
    public func sourceTokenizer() throws(CheckpointError) -> any Tokenizer { try tokenizer(sourceTokens, source) }

    /// The tokenizer of the target. It is for decoding, which writes every entry that it is given: where the target has no unknown
    /// token, an unknown word is padding or the end.
    public func targetTokenizer() throws(CheckpointError) -> any Tokenizer { try tokenizer(targetTokens, target) }

    private func tokenizer(_ list: TokenList, _ special: SpecialTokens) throws(CheckpointError) -> any Tokenizer {
        let unknown = special.unknown ?? special.padding ?? special.end ?? 0
        return switch tokenizer {
        case .longestMatch: try LongestMatchTokenizer(list, unknown: unknown)
        case .words: try WordTokenizer(list, unknown: unknown)
        }
    }
}
