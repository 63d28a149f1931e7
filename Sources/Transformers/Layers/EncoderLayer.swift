public import Attention

/// What the layers of an encoder or decoder have in common.
public struct LayerConfiguration: Hashable, Sendable {
    /// The width of a row.
    public var modelDimension: Int
    public var heads: Int
    /// Heads of keys and values in attention to oneself; `nil` is ``heads``.
    public var keyValueHeads: Int?
    /// The width in between the two halves of the feed-forward layer.
    public var hiddenDimension: Int
    public var activation: Activation
    /// Whether rows are normalised before a sublayer (pre-norm) rather than after it (post-norm).
    public var isNormFirst: Bool
    public var epsilon: Double
    public var hasBias: Bool

    /// As nn.TransformerEncoderLayer has it by default.
    public init(
        modelDimension: Int, heads: Int, keyValueHeads: Int? = nil, hiddenDimension: Int = 2048,
        activation: Activation = .relu, isNormFirst: Bool = false, epsilon: Double = 1e-5, hasBias: Bool = true
    ) {
        self.modelDimension = modelDimension
        self.heads = heads
        self.keyValueHeads = keyValueHeads
        self.hiddenDimension = hiddenDimension
        self.activation = activation
        self.isNormFirst = isNormFirst
        self.epsilon = epsilon
        self.hasBias = hasBias
    }

    var selfAttention: MultiHeadAttention.Configuration {
        .init(modelDimension: modelDimension, heads: heads, keyValueHeads: keyValueHeads, hasBias: hasBias)
    }

    var crossAttention: MultiHeadAttention.Configuration {
        .init(modelDimension: modelDimension, heads: heads, hasBias: hasBias)
    }

    var feedForwardShapes: [ParameterShape] {
        FeedForward.shapes(modelDimension: modelDimension, hiddenDimension: hiddenDimension, hasBias: hasBias)
    }

    var normShapes: [ParameterShape] { LayerNorm.shapes(dimension: modelDimension, hasBias: hasBias) }

    func norm(_ parameters: Parameters, _ device: Device) throws -> LayerNorm {
        try LayerNorm(parameters, dimension: modelDimension, epsilon: epsilon, hasBias: hasBias, device: device)
    }

    func feedForward(_ parameters: Parameters, _ device: Device) throws -> FeedForward {
        try FeedForward(
            parameters, modelDimension: modelDimension, hiddenDimension: hiddenDimension, activation: activation,
            hasBias: hasBias, device: device)
    }

    /// Refuses sizes that cannot be right before memory is asked for.
    func check() throws(AttentionError) {
        try selfAttention.check()
        guard (1...1 << 24).contains(hiddenDimension) else {
            throw .invalid("hiddenDimension", .value, expected: "1 … \(1 << 24)", found: "\(hiddenDimension)")
        }
        guard epsilon >= 0, epsilon.isFinite else {
            throw .invalid("epsilon", .value, expected: "a finite number of 0 or more", found: "\(epsilon)")
        }
    }
}

/// One layer of an encoder: attention to itself and a feed-forward layer, each with a residual connection and a normalisation.
///
/// Parameters are named as those of nn.TransformerEncoderLayer: `self_attn.…`, `linear1.…`, `linear2.…`, `norm1.…`, `norm2.…`.
/// Source: Vaswani et al. 2017, arXiv 1706.03762, section 3.1.
public struct EncoderLayer: Sendable {
    public let configuration: LayerConfiguration
    let attention: MultiHeadAttention
    let feedForward: FeedForward
    let norms: [LayerNorm]

    public init(
        _ parameters: Parameters, _ configuration: LayerConfiguration, rotary: RotaryPositions? = nil, device: Device
    ) throws {
        try configuration.check()
        attention = try MultiHeadAttention(
            parameters["self_attn"], configuration.selfAttention, rotary: rotary, device: device)
        feedForward = try configuration.feedForward(parameters, device)
        norms = [
            try configuration.norm(parameters["norm1"], device), try configuration.norm(parameters["norm2"], device),
        ]
        self.configuration = configuration
    }

    public static func shapes(_ configuration: LayerConfiguration) -> [ParameterShape] {
        configuration.selfAttention.shapes.within("self_attn") + configuration.feedForwardShapes
            + configuration.normShapes.within("norm1") + configuration.normShapes.within("norm2")
    }

    /// - Parameters:
    ///   - input: `[batch, length, modelDimension]`.
    ///   - mask: which rows count.
    ///   - pass: memory, cancelling, and attention weights of a whole model; `nil` makes one.
    /// - Returns: shaped as the input.
    public func callAsFunction(
        _ input: Tensor, mask: MultiHeadMask = .none, pass: ForwardPass? = nil
    ) throws(AttentionError) -> Tensor {
        let pass = pass ?? ForwardPass(attention.device)
        let rows = try input.expectRows("input", configuration.modelDimension)
        let selection = try attention.selection(mask, queries: rows, keys: rows)
        var stream = ResidualStream(rows, isNormFirst: configuration.isNormFirst, pass)
        try apply(to: &stream, selection)
        return try stream.result(nil)
    }

    func apply(to stream: inout ResidualStream, _ selection: KeySelection) throws(AttentionError) {
        let pass = stream.pass
        try stream.apply(norms[0]) { (rows) throws(AttentionError) in
            try attention.selfAttention(rows, selection, pass).output
        }
        try stream.apply(norms[1]) { (rows) throws(AttentionError) in try feedForward(rows, pass: pass) }
    }
}

extension Tensor {
    /// Refuses what is not `[batch, length, width]`.
    func expectRows(_ name: String, _ width: Int) throws(AttentionError) -> Tensor {
        guard rank == 3, shape[2] == width else {
            throw .invalid(name, .shape, expected: "[batch, length, \(width)]", found: "\(shape)")
        }
        return self
    }
}
