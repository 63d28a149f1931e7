extension EncoderDecoderConfiguration {
    /// The tensors of the model, called as in PyTorch's nn.Transformer and around it, in the order in which they are used.
    ///
    /// Matrices are as nn.Linear has them, [outputs, inputs]; `in_proj_weight` holds those of query, key and value one below the
    /// other. A tied target embedding is the generator's weight, and need not be stored twice.
    public var tensors: [Checkpoint.Expected] {
        let (d, f) = (modelDimension, feedForwardDimension)
        var all: [Checkpoint.Expected] = []
        func add(_ name: String, _ shape: [Int], isOptional: Bool = false) {
            all.append(Checkpoint.Expected(name, shape, isOptional: isOptional))
        }
        func linear(_ name: String, _ outputs: Int, _ inputs: Int) {
            add(name + ".weight", [outputs, inputs])
            if hasBias { add(name + ".bias", [outputs]) }
        }
        func norm(_ name: String) {
            add(name + ".weight", [d])
            if hasBias { add(name + ".bias", [d]) }
        }
        func attention(_ name: String) {
            add(name + ".in_proj_weight", [3 * d, d])
            if hasBias { add(name + ".in_proj_bias", [3 * d]) }
            linear(name + ".out_proj", d, d)
        }
        func feedForward(_ name: String) {
            linear(name + "linear1", f, d)
            linear(name + "linear2", d, f)
        }
        add("source_embedding.weight", [sourceTokens.count, d])
        add("target_embedding.weight", [targetTokens.count, d], isOptional: tiesTargetEmbedding)
        if positions == .learned {
            add("source_position.weight", [maximumPositions, d])
            add("target_position.weight", [maximumPositions, d])
        }
        for layer in 0..<encoderLayers {
            let prefix = "encoder.layers.\(layer)."
            attention(prefix + "self_attn")
            feedForward(prefix)
            for number in 1...2 { norm(prefix + "norm\(number)") }
        }
        if finalNorm { norm("encoder.norm") }
        for layer in 0..<decoderLayers {
            let prefix = "decoder.layers.\(layer)."
            attention(prefix + "self_attn")
            attention(prefix + "multihead_attn")
            feedForward(prefix)
            for number in 1...3 { norm(prefix + "norm\(number)") }
        }
        if finalNorm { norm("decoder.norm") }
        add("generator.weight", [targetTokens.count, d])
        // The generator is no part of nn.Transformer, so its bias may be there even if the layers have none.
        add("generator.bias", [targetTokens.count], isOptional: !hasBias)
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
