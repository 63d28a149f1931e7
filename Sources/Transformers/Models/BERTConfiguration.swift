public import Attention

/// `config.json` of a BERT-type encoder, as Hugging Face writes it.
///
/// Devlin et al., "BERT: Pre-training of Deep Bidirectional Transformers for Language Understanding" (2019).
public struct BERTConfiguration: Hashable, Sendable {
    /// Largest extent accepted, so that products of two fit 64 bits.
    static let largestExtent = 1 << 30

    /// The width of the model, a multiple of ``attentionHeads``.
    public var hiddenSize: Int
    public var layers: Int
    public var attentionHeads: Int
    /// The width within a feed-forward layer.
    public var intermediateSize: Int
    /// Between the two layers of a feed-forward network.
    public var activation: Activation
    /// Added to the variance; 1e-12 unless said.
    public var layerNormEpsilon: Double
    /// Longest sequence.
    public var positions: Int
    /// Kinds of segments; 2 unless said.
    public var tokenTypes: Int
    public var vocabularyCount: Int
    /// The token that fills up shorter texts of a batch; 0 unless said.
    public var paddingToken: Int

    /// Reads `config.json`.
    ///
    /// - Throws: ``CheckpointError``.
    public init(folder: ModelFolder) throws(CheckpointError) { try self.init(folder.json("config.json")) }

    init(_ json: JSONReader) throws(CheckpointError) {
        let extent = 1...Self.largestExtent
        try json.optional("model_type")?.choice(["bert": ()])
        hiddenSize = try json.integer("hidden_size", in: extent)
        layers = try json.integer("num_hidden_layers", in: 0...10_000)
        attentionHeads = try json.integer("num_attention_heads", in: extent)
        intermediateSize = try json.integer("intermediate_size", in: extent)
        activation = try json.optional("hidden_act")?.choice(Activation.names) ?? .gelu
        layerNormEpsilon = try json.epsilon("layer_norm_eps", default: 1e-12)
        positions = try json.integer("max_position_embeddings", in: extent)
        tokenTypes = try json.integer("type_vocab_size", in: extent, default: 2)
        vocabularyCount = try json.integer("vocab_size", in: extent)
        try json.optional("position_embedding_type")?.choice(["absolute": ()])
        guard hiddenSize % attentionHeads == 0 else {
            throw try json.member("hidden_size").invalid("a multiple of the \(attentionHeads) attention heads")
        }
        paddingToken = 0
        if let padding = try json.optional("pad_token_id") {
            paddingToken = try padding.integer(in: 0...Self.largestExtent)
            guard paddingToken < vocabularyCount else {
                throw padding.error(
                    .tokenOutOfRange, expected: "an id below vocab_size, \(vocabularyCount)", found: "\(paddingToken)")
            }
        }
    }

    /// Holds a tokenizer to this model: each id it can give needs a row of the embedding.
    ///
    /// - Throws: ``CheckpointError`` of kind `tokenOutOfRange`.
    public func check(_ tokenizer: some Tokenizer, folder: ModelFolder) throws(CheckpointError) {
        guard tokenizer.vocabularyCount <= vocabularyCount else {
            throw CheckpointError(
                .tokenOutOfRange, file: folder.path, place: "tokenizer",
                expected: "ids below vocab_size, \(vocabularyCount)", found: "\(tokenizer.vocabularyCount - 1)")
        }
    }
}

extension Activation {
    /// How configurations spell them.
    static let names: KeyValuePairs<String, Activation> = [
        "relu": .relu, "gelu": .gelu, "gelu_python": .gelu, "gelu_new": .geluTanh, "gelu_pytorch_tanh": .geluTanh,
        "silu": .silu, "swish": .silu,
    ]
}

extension JSONReader {
    /// A small positive number.
    func epsilon(_ key: String, default fallback: Double) throws(CheckpointError) -> Double {
        guard let reader = try optional(key) else { return fallback }
        let value = try reader.double
        guard value >= 0, value < 1 else { throw reader.invalid("a number from 0 to 1") }
        return value
    }
}
