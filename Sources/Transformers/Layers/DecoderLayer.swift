public import Attention

/// One layer of a decoder: attention to itself, attention to the encoder's output, and a feed-forward layer, each with a
/// residual connection and a normalisation.
///
/// Parameters are named as those of nn.TransformerDecoderLayer: `self_attn.…`, `multihead_attn.…`, `linear1.…`, `linear2.…`,
/// `norm1.…`, `norm2.…`, `norm3.…`. Source: Vaswani et al. 2017, arXiv 1706.03762, section 3.1.
public struct DecoderLayer: Sendable {
    public let configuration: LayerConfiguration
    let selfAttention: MultiHeadAttention
    let crossAttention: MultiHeadAttention
    let feedForward: FeedForward
    let norms: [LayerNorm]

    public init(
        _ parameters: Parameters, _ configuration: LayerConfiguration, rotary: RotaryPositions? = nil, device: Device
    ) throws {
        try configuration.check()
        selfAttention = try MultiHeadAttention(
            parameters["self_attn"], configuration.selfAttention, rotary: rotary, device: device)
        crossAttention = try MultiHeadAttention(
            parameters["multihead_attn"], configuration.crossAttention, device: device)
        feedForward = try configuration.feedForward(parameters, device)
        norms = try (1...3).map { try configuration.norm(parameters["norm\($0)"], device) }
        self.configuration = configuration
    }

    public static func shapes(_ configuration: LayerConfiguration) -> [ParameterShape] {
        configuration.selfAttention.shapes.within("self_attn")
            + configuration.crossAttention.shapes.within("multihead_attn") + configuration.feedForwardShapes
            + (1...3).flatMap { configuration.normShapes.within("norm\($0)") }
    }

    /// - Parameters:
    ///   - target: `[batch, length, modelDimension]`.
    ///   - memory: the encoder's output, `[batch, sourceLength, modelDimension]`.
    ///   - targetMask: which rows of the target each of them sees.
    ///   - memoryMask: which rows of the memory count.
    ///   - pass: memory, cancelling, and attention weights of a whole model; `nil` makes one.
    /// - Returns: shaped as the target.
    public func callAsFunction(
        _ target: Tensor, memory: Tensor, targetMask: MultiHeadMask = .causal, memoryMask: MultiHeadMask = .none,
        pass: ForwardPass? = nil
    ) throws(AttentionError) -> Tensor {
        let pass = pass ?? ForwardPass(selfAttention.device)
        let rows = try target.expectRows("target", configuration.modelDimension)
        let source = try memory.expectRows("memory", configuration.modelDimension)
        let own = try selfAttention.selection(targetMask, queries: rows, keys: rows)
        let other = try crossAttention.selection(memoryMask, queries: rows, keys: source)
        let keys = try crossAttention.projectedKeys(source, nil, other, pass)
        var stream = ResidualStream(rows, isNormFirst: configuration.isNormFirst, pass)
        try apply(to: &stream, .selection(own), keys)
        return try stream.result(nil)
    }

    /// What a row of the target attends in the target.
    enum Own {
        case selection(KeySelection)
        /// The keys of earlier steps, and its own, which are appended.
        case cache(KeyValueCache)
    }

    func apply(to stream: inout ResidualStream, _ own: Own, _ memory: ProjectedKeys) throws(AttentionError) {
        let pass = stream.pass
        try stream.apply(norms[0]) { (rows) throws(AttentionError) in
            switch own {
            case .selection(let selection): try selfAttention.selfAttention(rows, selection, pass).output
            case .cache(let cache):
                // Each row is a sequence of its own here.
                try selfAttention(
                    try rows.reshaped([rows.shape[1], 1, rows.shape[2]]), cache: cache, pass: pass
                ).reshaped(rows.shape)
            }
        }
        try stream.apply(norms[1]) { (rows) throws(AttentionError) in
            try crossAttention.crossAttention(rows, memory, pass).output
        }
        try stream.apply(norms[2]) { (rows) throws(AttentionError) in try feedForward(rows, pass: pass) }
    }
}
