public import Attention
import TensorFiles

/// `config.json` of an encoder-decoder Transformer, whose layers are PyTorch's nn.Transformer's.
///
/// Vaswani et al., "Attention Is All You Need" (2017).
public struct EncoderDecoderConfiguration: Sendable {
    /// The most numbers of a table of sinusoidal positions, which no checkpoint bounds: 1 GiB of them.
    private static let largestTable = 1 << 28

    /// How text is split.
    public enum TokenizerName: String, CaseIterable, Hashable, Sendable {
        case longestMatch = "longest-match"
        case words
    }

    /// `d_model`, the width of the model, a multiple of ``heads``; 512 unless said, as in nn.Transformer.
    public var modelDimension: Int
    /// `nhead`; 8 unless said.
    public var heads: Int
    /// `num_encoder_layers`; 6 unless said.
    public var encoderLayers: Int
    /// `num_decoder_layers`; 6 unless said.
    public var decoderLayers: Int
    /// `dim_feedforward`; 2048 unless said.
    public var feedForwardDimension: Int
    /// `activation`; ReLU unless said.
    public var activation: Activation
    /// `norm_first`, whether norms stand before the parts of a layer; false unless said.
    public var normFirst: Bool
    /// `layer_norm_eps`; 1e-5 unless said.
    public var layerNormEpsilon: Double
    /// `final_norm`, a norm after the encoder and one after the decoder; true unless said, as nn.Transformer has them.
    public var finalNorm: Bool
    /// `bias`, whether linear layers and norms have biases; true unless said.
    public var hasBias: Bool
    /// `positions`; sinusoidal unless said, as in the paper.
    public var positions: Transformer.Configuration.Positions
    /// `max_positions`, the longest sequence, start and end included.
    public var maximumPositions: Int
    /// `scale_embeddings`, whether embeddings are multiplied by √d_model; true unless said, as in the paper.
    public var scalesEmbeddings: Bool
    /// `tie_target_embedding`, whether the generator's weight is the target's embedding; false unless said.
    public var tiesTargetEmbedding: Bool
    /// `wrap_source`, whether start and end stand around the source; false unless said.
    public var wrapsSource: Bool
    /// `tokenizer`; words unless said.
    public var tokenizer: TokenizerName

    /// The entries of `source_tokens.json`, as many as `source_vocabulary`.
    public var sourceTokens: TokenList
    /// The entries of `target_tokens.json`, as many as `target_vocabulary`.
    public var targetTokens: TokenList
    /// Ids of the special tokens in the source, where it has them; the unknown token it must have.
    public var source: SpecialTokens
    /// Ids of the special tokens in the target; start and end it must have.
    public var target: SpecialTokens

    /// Ids of `start_token`, `end_token`, `pad_token` and `unknown_token` in one vocabulary.
    public struct SpecialTokens: Hashable, Sendable {
        public var start: Int?
        public var end: Int?
        public var padding: Int?
        public var unknown: Int?
    }

    /// Reads `config.json`, `source_tokens.json` and `target_tokens.json`.
    ///
    /// - Throws: ``CheckpointError``.
    public init(folder: ModelFolder) throws(CheckpointError) {
        let json = try folder.json("config.json")
        let extent = 1...BERTConfiguration.largestExtent
        modelDimension = try json.integer("d_model", in: extent, default: 512)
        heads = try json.integer("nhead", in: extent, default: 8)
        encoderLayers = try json.integer("num_encoder_layers", in: 0...10_000, default: 6)
        decoderLayers = try json.integer("num_decoder_layers", in: 0...10_000, default: 6)
        feedForwardDimension = try json.integer("dim_feedforward", in: extent, default: 2048)
        activation = try json.optional("activation")?.choice(Activation.names) ?? .relu
        normFirst = try json.bool("norm_first", default: false)
        layerNormEpsilon = try json.epsilon("layer_norm_eps", default: 1e-5)
        finalNorm = try json.bool("final_norm", default: true)
        hasBias = try json.bool("bias", default: true)
        positions =
            try json.optional("positions")?.choice([
                "sinusoidal": Transformer.Configuration.Positions.sinusoidal, "learned": .learned,
            ])
            ?? .sinusoidal
        maximumPositions = try json.integer("max_positions", in: extent)
        scalesEmbeddings = try json.bool("scale_embeddings", default: true)
        tiesTargetEmbedding = try json.bool("tie_target_embedding", default: false)
        wrapsSource = try json.bool("wrap_source", default: false)
        tokenizer =
            try json.optional("tokenizer")?.choice(["longest-match": TokenizerName.longestMatch, "words": .words])
            ?? .words
        guard modelDimension % heads == 0 else {
            let place = try json.optional("nhead") ?? json
            throw place.invalid("a number of heads that divides d_model, \(modelDimension)", found: "\(heads)")
        }
        // The paper's positions come in pairs of a sine and a cosine.
        guard positions == .learned || modelDimension % 2 == 0 else {
            let place = try json.optional("d_model") ?? json
            throw place.invalid("an even d_model for sinusoidal positions", found: "\(modelDimension)")
        }
        // A table that is computed is no longer than memory because a file says so.
        let longest = Self.largestTable / modelDimension
        guard positions == .learned || maximumPositions <= longest else {
            throw try json.member("max_positions").invalid(
                "at most \(longest) sinusoidal positions of width \(modelDimension)", found: "\(maximumPositions)")
        }
        sourceTokens = try Self.tokens(folder, "source_tokens.json", json, "source_vocabulary")
        targetTokens = try Self.tokens(folder, "target_tokens.json", json, "target_vocabulary")
        (source, target) = (SpecialTokens(), SpecialTokens())
        try resolveSpecialTokens(json)
        if wrapsSource, maximumPositions < 2 {
            throw try json.member("max_positions").invalid("2 or more, for the tokens around the source")
        }
    }

    /// A list of tokens, as long as the configuration says.
    private static func tokens(
        _ folder: ModelFolder, _ name: String, _ json: JSONReader, _ key: String
    ) throws(CheckpointError) -> TokenList {
        let list = try TokenList(folder: folder, name: name)
        let count = try json.integer(key, in: 1...BERTConfiguration.largestExtent)
        guard list.count == count else {
            throw CheckpointError(
                .tokenOutOfRange, file: list.file, expected: "\(count) tokens, as \(key) says", found: "\(list.count)")
        }
        return list
    }

    private mutating func resolveSpecialTokens(_ json: JSONReader) throws(CheckpointError) {
        func resolve(
            _ key: String, source isInSource: Bool, target isInTarget: Bool
        ) throws(CheckpointError) -> (source: Int?, target: Int?) {
            let isNeeded = isInSource || isInTarget
            guard let named = isNeeded ? try json.member(key) : try json.optional(key) else { return (nil, nil) }
            let token = try named.string
            let ids = (source: sourceTokens.id(of: token), target: targetTokens.id(of: token))
            let lacks =
                isInSource && ids.source == nil
                ? sourceTokens.file : (isInTarget || ids.source == nil) && ids.target == nil ? targetTokens.file : nil
            guard let lacks else { return ids }
            throw named.error(
                .unknownToken, expected: "a token of \(MessageText.path(lacks))", found: MessageText.quoted(token))
        }
        (source.start, target.start) = try resolve("start_token", source: wrapsSource, target: true)
        (source.end, target.end) = try resolve("end_token", source: wrapsSource, target: true)
        (source.padding, target.padding) = try resolve("pad_token", source: false, target: false)
        (source.unknown, target.unknown) = try resolve("unknown_token", source: true, target: false)
    }
}
