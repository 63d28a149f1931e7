extension BERTConfiguration {
    /// The tensors of the encoder, called as in Hugging Face's BertModel, in the order in which they are used.
    ///
    /// With hidden size H, intermediate size I, and matrices as PyTorch's nn.Linear has them, [outputs, inputs].
    public var tensors: [Checkpoint.Expected] {
        let (h, i) = (hiddenSize, intermediateSize)
        var all = [
            Checkpoint.Expected("embeddings.word_embeddings.weight", [vocabularyCount, h]),
            Checkpoint.Expected("embeddings.position_embeddings.weight", [positions, h]),
            Checkpoint.Expected("embeddings.token_type_embeddings.weight", [tokenTypes, h]),
        ]
        func linear(_ name: String, _ outputs: Int, _ inputs: Int) {
            all.append(Checkpoint.Expected(name + ".weight", [outputs, inputs]))
            all.append(Checkpoint.Expected(name + ".bias", [outputs]))
        }
        func norm(_ name: String) {
            all.append(Checkpoint.Expected(name + ".weight", [h]))
            all.append(Checkpoint.Expected(name + ".bias", [h]))
        }
        norm("embeddings.LayerNorm")
        for layer in 0..<layers {
            let prefix = "encoder.layer.\(layer)."
            for part in ["query", "key", "value"] { linear(prefix + "attention.self." + part, h, h) }
            linear(prefix + "attention.output.dense", h, h)
            norm(prefix + "attention.output.LayerNorm")
            linear(prefix + "intermediate.dense", i, h)
            linear(prefix + "output.dense", h, i)
            norm(prefix + "output.LayerNorm")
        }
        return all
    }

    /// What checkpoints hold besides: a buffer of older versions, and heads that an embedding does not use.
    static let allowedExtras: [Checkpoint.Allowed] = [
        .named("embeddings.position_ids"), .beginning("pooler."), .beginning("cls."), .beginning("classifier."),
    ]

    /// Opens the folder's checkpoint and holds it to this configuration. Models that are wrapped in a head carry the prefix
    /// `bert.`, and the oldest call a norm's parameters gamma and beta; both are read.
    ///
    /// - Throws: ``CheckpointError``.
    public func checkpoint(folder: ModelFolder) throws(CheckpointError) -> Checkpoint {
        let checkpoint = try Checkpoint(folder: folder).renamed(Self.name)
        try checkpoint.check(tensors, allowing: Self.allowedExtras)
        return checkpoint
    }

    static func name(stored: String) -> String {
        var name = stored
        if name.utf8.starts(with: "bert.".utf8) { name.removeFirst(5) }
        for (old, new) in [("LayerNorm.gamma", "LayerNorm.weight"), ("LayerNorm.beta", "LayerNorm.bias")]
        where name.hasSuffix(old) {
            name = name.dropLast(old.count) + new
        }
        return name
    }
}
