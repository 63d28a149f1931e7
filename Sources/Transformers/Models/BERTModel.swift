public import Attention

/// A BERT-type encoder: tokens in, a vector for each of them out.
///
///     x = LayerNorm(W[token] + P[position] + S[segment]);   output = encoder(x)
///
/// Layers are post-norm, with the activation that the configuration names. Source: Devlin et al. 2018, arXiv 1810.04805.
public struct BERTModel: Sendable {
    public let configuration: BERTConfiguration
    public let device: Device
    public let encoder: Encoder
    private let words: Embedding
    private let positions: Embedding
    private let segments: Embedding
    private let norm: LayerNorm

    /// Loads a folder in Hugging Face's form.
    ///
    /// - Parameters:
    ///   - folder: `config.json` and the checkpoint.
    ///   - weightType: the type that matrices are kept in; `nil` is that of the file. `float16` and `bfloat16` take half the
    ///     memory.
    ///   - device: where to compute.
    /// - Throws: ``CheckpointError``; `AttentionError` of the device.
    public init(folder: ModelFolder, weightType: ElementType? = nil, device: Device) throws {
        let configuration = try BERTConfiguration(folder: folder)
        try self.init(
            Parameters(try configuration.checkpoint(folder: folder)), configuration, weightType: weightType,
            device: device)
    }

    /// - Parameters:
    ///   - parameters: by Hugging Face's names, as ``BERTConfiguration/tensors`` lists them.
    ///   - configuration: sizes and options.
    ///   - weightType: the type that matrices are kept in; `nil` is that of the parameters.
    ///   - device: where to compute.
    public init(
        _ parameters: Parameters, _ configuration: BERTConfiguration, weightType: ElementType? = nil, device: Device
    ) throws {
        let width = configuration.hiddenSize
        var source = parameters
        if let weightType {
            source = Parameters(
                ConvertedParameters(source: parameters.source, type: weightType), prefix: parameters.prefix)
        }
        let tables = source["embeddings"]
        words = try Embedding(
            tables["word_embeddings"], entries: configuration.vocabularyCount, dimension: width, device: device)
        positions = try Embedding(
            tables["position_embeddings"], entries: configuration.positions, dimension: width, device: device)
        segments = try Embedding(
            tables["token_type_embeddings"], entries: configuration.tokenTypes, dimension: width, device: device)
        norm = try LayerNorm(
            tables["LayerNorm"], dimension: width, epsilon: configuration.layerNormEpsilon, device: device)
        let layer = LayerConfiguration(
            modelDimension: width, heads: configuration.attentionHeads,
            hiddenDimension: configuration.intermediateSize, activation: configuration.activation,
            epsilon: configuration.layerNormEpsilon)
        encoder = try Encoder(
            Parameters(BERTParameters(source: PrefixedParameters(source))), layer, count: configuration.layers,
            device: device)
        self.configuration = configuration
        self.device = device
    }

    /// The vectors of all tokens, `[rows, hiddenSize]`, those of one sequence after those of another, and where each sequence
    /// begins.
    ///
    /// - Parameters:
    ///   - sequences: tokens with `[CLS]` and `[SEP]`; of any lengths up to the positions.
    ///   - tokenTypes: the segment of each token; `nil` is the first.
    ///   - pass: memory, cancelling, and attention weights, which are those of all rows with all others.
    /// - Throws: `AttentionError.invalid` for a sequence longer than the positions or a token outside of the vocabulary.
    public func callAsFunction(
        _ sequences: [[Int]], tokenTypes: [[Int]]? = nil, pass: ForwardPass? = nil
    ) throws(AttentionError) -> (rows: Tensor, offsets: [Int]) {
        let pass = pass ?? ForwardPass(device)
        let packed = try PackedTokens(
            sequences, longest: configuration.positions, vocabulary: configuration.vocabularyCount, "tokens")
        var types = [Int32](repeating: 0, count: packed.tokens.count)
        if let tokenTypes {
            let given = try PackedTokens(
                tokenTypes, longest: configuration.positions, vocabulary: configuration.tokenTypes, "tokenTypes")
            guard given.offsets == packed.offsets else {
                throw .invalid(
                    "tokenTypes", .count, expected: "one for each token", found: "\(given.tokens.count) in all")
            }
            types = given.tokens
        }
        let shape = [packed.tokens.count, configuration.hiddenSize]
        if packed.tokens.isEmpty { return (try pass.tensor(shape), packed.offsets) }
        let rows = try pass.run { () throws(AttentionError) in
            let embedded = try words(
                packed.tokens, adding: [(positions, packed.positions), (segments, types)],
                shape: [1, packed.tokens.count], pass: pass)
            let input = try norm(embedded, pass: pass)
            return try encoder(input, mask: .packed(queries: packed.offsets), pass: pass)
        }
        return (try rows.reshaped(shape), packed.offsets)
    }

    /// Who attends to whom in one sequence: a map `[1, heads, tokens, tokens]` a layer.
    ///
    /// - Parameters:
    ///   - tokens: with `[CLS]` and `[SEP]`.
    ///   - tokenTypes: the segment of each token; `nil` is the first.
    ///   - pass: a new one that keeps attention; `nil` makes one.
    public func attention(
        _ tokens: [Int], tokenTypes: [Int]? = nil, pass: ForwardPass? = nil
    ) throws(AttentionError) -> [AttentionMap] {
        let pass = pass ?? ForwardPass(device, keepsAttention: true)
        _ = try self([tokens], tokenTypes: tokenTypes.map { [$0] }, pass: pass)
        return pass.attention
    }
}

/// Parameters under a prefix, as a source of their own.
private struct PrefixedParameters: ParameterSource {
    let parameters: Parameters

    init(_ parameters: Parameters) { self.parameters = parameters }

    func tensor(_ name: String, shape: [Int]) throws -> Tensor { try parameters.tensor(name, shape) }
}
