public import Attention

/// The Transformer of "Attention Is All You Need": tokens of a source in, tokens of a target out.
///
///     memory = encoder(√d · E_s[source] + P[0…])
///     logits = decoder(√d · E_t[target] + P[0…], memory) · Gᵀ + g
///
/// ```swift
/// var configuration = Transformer.Configuration(sourceVocabulary: 1000, targetVocabulary: 1000)
/// configuration.layer.modelDimension = 128
/// let model = try Transformer(Parameters(RandomParameters(seed: 1)), configuration, device: .native())
/// let logits = try model.logits(source: [[5, 7, 9]], target: [[1, 4]])       // one [2, 1000]
/// let output = try model.generate([[5, 7, 9]], .init(start: 1, end: 2, maximumLength: 20))
/// ```
///
/// Sequences of a batch lie packed one after the other: no padding is computed. Source: Vaswani et al. 2017, arXiv 1706.03762.
public struct Transformer: Sendable {
    public struct Configuration: Hashable, Sendable {
        public enum Positions: String, Hashable, Sendable, CaseIterable {
            /// Sines and cosines, interleaved as in the paper.
            case sinusoidal
            /// A table for the source and one for the target.
            case learned
        }

        public var layer: LayerConfiguration
        public var encoderLayers = 6
        public var decoderLayers = 6
        public var sourceVocabulary: Int
        public var targetVocabulary: Int
        public var positions = Positions.sinusoidal
        /// The longest sequence.
        public var maximumPositions = 512
        /// Whether embeddings are multiplied by √modelDimension.
        public var scalesEmbeddings = true
        /// Whether the target's embedding is the matrix of the final projection.
        public var tiesTargetEmbedding = false
        /// Whether the source's embedding is the target's; with both, all three are `generator.weight`, as in the paper.
        public var sharesEmbeddings = false
        /// Whether there is a normalisation behind the encoder and one behind the decoder.
        public var hasFinalNorm = true
        public var hasGeneratorBias = true

        /// The paper's base model, with the final normalisations that nn.Transformer has.
        public init(
            layer: LayerConfiguration = .init(modelDimension: 512, heads: 8), sourceVocabulary: Int,
            targetVocabulary: Int
        ) {
            self.layer = layer
            self.sourceVocabulary = sourceVocabulary
            self.targetVocabulary = targetVocabulary
        }

        func check() throws(AttentionError) {
            try layer.check()
            for (name, size) in [
                ("sourceVocabulary", sourceVocabulary), ("targetVocabulary", targetVocabulary),
                ("maximumPositions", maximumPositions),
            ] where size < 1 || size > Int(Int32.max) {
                throw .invalid(name, .value, expected: "1 … \(Int32.max)", found: "\(size)")
            }
            try LayerConfiguration.check(layers: encoderLayers, "encoderLayers")
            try LayerConfiguration.check(layers: decoderLayers, "decoderLayers")
            if sharesEmbeddings, sourceVocabulary != targetVocabulary {
                throw .invalid(
                    "sharesEmbeddings", .combination, expected: "vocabularies of one size",
                    found: "\(sourceVocabulary) and \(targetVocabulary)")
            }
        }

        /// The parameters by their names.
        public var shapes: [ParameterShape] {
            let width = layer.modelDimension
            var shapes: [ParameterShape] = []
            if !tiesTargetEmbedding || !sharesEmbeddings {
                shapes.append(ParameterShape("source_embedding.weight", [sourceVocabulary, width]))
            }
            if !tiesTargetEmbedding, !sharesEmbeddings {
                shapes.append(ParameterShape("target_embedding.weight", [targetVocabulary, width]))
            }
            if positions == .learned {
                shapes.append(ParameterShape("source_position.weight", [maximumPositions, width]))
                shapes.append(ParameterShape("target_position.weight", [maximumPositions, width]))
            }
            shapes += Encoder.shapes(layer, count: encoderLayers, hasFinalNorm: hasFinalNorm).within("encoder")
            shapes += Decoder.shapes(layer, count: decoderLayers, hasFinalNorm: hasFinalNorm).within("decoder")
            return shapes
                + Linear.shapes(inputs: width, outputs: targetVocabulary, hasBias: hasGeneratorBias).within("generator")
        }
    }

    public let configuration: Configuration
    public let device: Device
    public let encoder: Encoder
    public let decoder: Decoder
    let sourceEmbedding: Embedding
    let targetEmbedding: Embedding
    let sourcePositions: Embedding
    let targetPositions: Embedding
    let generator: Linear

    /// - Parameters:
    ///   - parameters: as ``Configuration/shapes`` lists them.
    ///   - configuration: sizes and options.
    ///   - device: where to compute.
    /// - Throws: `AttentionError.invalid` for a configuration that cannot be right; what the source of the parameters throws.
    public init(_ parameters: Parameters, _ configuration: Configuration, device: Device) throws {
        try configuration.check()
        let width = configuration.layer.modelDimension
        let scale = configuration.scalesEmbeddings ? Double(width).squareRoot() : 1
        func embedding(_ name: String, _ entries: Int) throws -> Embedding {
            try Embedding(parameters[name], entries: entries, dimension: width, scale: scale, device: device)
        }
        let generatorWeight = try parameters["generator"].tensor("weight", [configuration.targetVocabulary, width])
        let tied =
            configuration.tiesTargetEmbedding
            ? try Embedding(table: generatorWeight, scale: scale, device: device) : nil
        if configuration.sharesEmbeddings {
            sourceEmbedding = try tied ?? embedding("source_embedding", configuration.sourceVocabulary)
            targetEmbedding = sourceEmbedding
        } else {
            sourceEmbedding = try embedding("source_embedding", configuration.sourceVocabulary)
            targetEmbedding = try tied ?? embedding("target_embedding", configuration.targetVocabulary)
        }
        let positions = configuration.maximumPositions
        switch configuration.positions {
        case .sinusoidal:
            sourcePositions = try Embedding.sinusoidal(positions: positions, dimension: width, device: device)
            targetPositions = sourcePositions
        case .learned:
            sourcePositions = try Embedding(
                parameters["source_position"], entries: positions, dimension: width, device: device)
            targetPositions = try Embedding(
                parameters["target_position"], entries: positions, dimension: width, device: device)
        }
        let (layer, hasNorm) = (configuration.layer, configuration.hasFinalNorm)
        encoder = try Encoder(
            parameters["encoder"], layer, count: configuration.encoderLayers, hasFinalNorm: hasNorm, device: device)
        decoder = try Decoder(
            parameters["decoder"], layer, count: configuration.decoderLayers, hasFinalNorm: hasNorm, device: device)
        let bias =
            configuration.hasGeneratorBias
            ? try parameters["generator"].vector("bias", [configuration.targetVocabulary]) : nil
        generator = try Linear(weight: generatorWeight, bias: bias, device: device)
        self.configuration = configuration
        self.device = device
    }
}
