public import Attention

/// A Transformer with its tokens, from a folder: text in, text out.
///
/// ```swift
/// let model = try EncoderDecoderModel(folder: ModelFolder(path: "model"), device: .native())
/// print(try model.translate(["ein Satz"], .init(beams: 4))[0].output)
/// ```
public struct EncoderDecoderModel: Sendable {
    public let configuration: EncoderDecoderConfiguration
    public let transformer: Transformer
    public let sourceTokenizer: any Tokenizer
    public let targetTokenizer: any Tokenizer

    public var device: Device { transformer.device }

    /// - Parameters:
    ///   - folder: `config.json`, the checkpoint, `source_tokens.json` and `target_tokens.json`.
    ///   - weightType: the type that matrices are kept in; `nil` is that of the file.
    ///   - device: where to compute.
    /// - Throws: ``CheckpointError``; `AttentionError` of the device.
    public init(folder: ModelFolder, weightType: ElementType? = nil, device: Device) throws {
        configuration = try EncoderDecoderConfiguration(folder: folder)
        let checkpoint = try configuration.checkpoint(folder: folder)
        var model = configuration.transformer
        model.hasGeneratorBias = checkpoint.entry(named: "generator.bias") != nil
        var source: any ParameterSource = checkpoint
        if let weightType { source = ConvertedParameters(source: checkpoint, type: weightType) }
        transformer = try Transformer(Parameters(source), model, device: device)
        sourceTokenizer = try configuration.sourceTokenizer()
        targetTokenizer = try configuration.targetTokenizer()
    }

    /// What becomes of a source with more tokens than positions.
    public enum LongSource: String, Hashable, Sendable, CaseIterable {
        /// Its end is left out.
        case truncate
        /// It is an error.
        case refuse
    }

    /// How a text is translated.
    public struct Options: Hashable, Sendable {
        public var beams: Int
        public var lengthPenalty: Double
        /// The most tokens of a translation, the end token included; `nil` is the model's positions.
        public var maximumLength: Int?
        public var longSource: LongSource
        public var usesCache = true

        public init(
            beams: Int = 1, lengthPenalty: Double = 0, maximumLength: Int? = nil, longSource: LongSource = .refuse
        ) {
            self.beams = beams
            self.lengthPenalty = lengthPenalty
            self.maximumLength = maximumLength
            self.longSource = longSource
        }
    }

    /// A text and what the model makes of it.
    public struct Translation: Sendable {
        public let source: String
        /// With the tokens around it, if the model has them.
        public let sourceTokens: [Int]
        public let output: String
        /// Without start and end token.
        public let tokens: [Int]
        /// `Σ log p / lengthᴬ`.
        public let score: Double
        /// Whether the end token came before the greatest length.
        public let isEnded: Bool
        /// All that the search found, best first; the above is the first of them.
        public let sequences: [GeneratedSequence]
    }

    /// The tokens of a source, with start and end around them if the model has that.
    ///
    /// - Throws: `AttentionError.invalid` for a source longer than the positions, unless it is to be cut.
    public func sourceTokens(_ text: String, _ longSource: LongSource = .refuse) throws(AttentionError) -> [Int] {
        var tokens = sourceTokenizer.encode(text)
        let isWrapped = configuration.wrapsSource
        let room = configuration.maximumPositions - (isWrapped ? 2 : 0)
        if tokens.count > room {
            guard longSource == .truncate else {
                throw .invalid(
                    "source", .count,
                    expected: "at most \(configuration.maximumPositions) tokens, the model's positions",
                    found: "\(tokens.count + (isWrapped ? 2 : 0))")
            }
            tokens.removeLast(tokens.count - room)
        }
        guard isWrapped, let start = configuration.source.start, let end = configuration.source.end else {
            return tokens
        }
        return [start] + tokens + [end]
    }

    /// Translates texts, in their order.
    ///
    /// - Parameters:
    ///   - texts: any number of them, of any lengths.
    ///   - options: beams, lengths.
    ///   - pass: memory and cancelling.
    ///   - event: told of tokens as they come.
    /// - Throws: `AttentionError`.
    public func translate(
        _ texts: [String], _ options: Options = .init(), pass: ForwardPass? = nil,
        event: (GenerationEvent) -> Void = { _ in }
    ) throws(AttentionError) -> [Translation] {
        var sources: [[Int]] = []
        for text in texts { sources.append(try sourceTokens(text, options.longSource)) }
        let found = try transformer.generate(sources, try generation(options), pass: pass, event: event)
        var translations: [Translation] = []
        for (index, sequences) in found.enumerated() {
            let best = sequences.first ?? GeneratedSequence(tokens: [], score: 0, isEnded: false)
            translations.append(
                Translation(
                    source: texts[index], sourceTokens: sources[index], output: targetTokenizer.decode(best.tokens),
                    tokens: best.tokens, score: best.score, isEnded: best.isEnded, sequences: sequences))
        }
        return translations
    }

    /// The form above, off the threads that tasks share; cancellable.
    public func translate(
        _ texts: [String], _ options: Options = .init(), fallback: FallbackPolicy = .automatic,
        control: RunControl = .init()
    ) async throws(AttentionError) -> [Translation] {
        try await offTheTaskPool(control) { () throws(AttentionError) in
            try self.translate(texts, options, pass: ForwardPass(device, fallback: fallback, control: control))
        }
    }

    /// Who attends to whom while a target is read: the maps of encoder, decoder and cross attention, `[1, heads, rows,
    /// columns]` each.
    ///
    /// - Parameters:
    ///   - source: tokens, with those around them.
    ///   - target: tokens without the start token, which is put before them.
    ///   - pass: a new one that keeps attention; `nil` makes one.
    public func attention(
        source: [Int], target: [Int], pass: ForwardPass? = nil
    ) throws(AttentionError) -> [AttentionMap] {
        let pass = pass ?? ForwardPass(device, keepsAttention: true)
        let start = try generation(Options()).start
        _ = try transformer.logits(source: [source], target: [[start] + target], pass: pass)
        return pass.attention
    }

    private func generation(_ options: Options) throws(AttentionError) -> GenerationOptions {
        guard let start = configuration.target.start, let end = configuration.target.end else {
            throw .invalid("configuration", .value, expected: "a start and an end token", found: "none")
        }
        var generation = GenerationOptions(
            start: start, end: end, beams: options.beams, lengthPenalty: options.lengthPenalty,
            maximumLength: options.maximumLength)
        generation.usesCache = options.usesCache
        return generation
    }
}

extension EncoderDecoderConfiguration {
    /// The model that this describes.
    public var transformer: Transformer.Configuration {
        let layer = LayerConfiguration(
            modelDimension: modelDimension, heads: heads, hiddenDimension: feedForwardDimension,
            activation: activation, isNormFirst: normFirst, epsilon: layerNormEpsilon, hasBias: hasBias)
        var model = Transformer.Configuration(
            layer: layer, sourceVocabulary: sourceTokens.count, targetVocabulary: targetTokens.count)
        model.encoderLayers = encoderLayers
        model.decoderLayers = decoderLayers
        model.positions = positions
        model.maximumPositions = maximumPositions
        model.scalesEmbeddings = scalesEmbeddings
        model.tiesTargetEmbedding = tiesTargetEmbedding
        model.hasFinalNorm = finalNorm
        return model
    }
}
