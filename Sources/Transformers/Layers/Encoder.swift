public import Attention

/// A stack of encoder layers, with a normalisation at its end if there is one: nn.TransformerEncoder.
public struct Encoder: Sendable {
    public let configuration: LayerConfiguration
    public let layers: [EncoderLayer]
    public let device: Device
    let norm: LayerNorm?

    /// - Parameters:
    ///   - parameters: `layers.0.…` and so on, and `norm.…`.
    ///   - configuration: of each layer.
    ///   - count: how many layers.
    ///   - hasFinalNorm: whether there is a `norm` behind the last.
    ///   - rotary: positions, for models that have them in attention.
    ///   - device: where to compute.
    public init(
        _ parameters: Parameters, _ configuration: LayerConfiguration, count: Int, hasFinalNorm: Bool = false,
        rotary: RotaryPositions? = nil, device: Device
    ) throws {
        layers = try EncoderLayer.stack(parameters, configuration, count: count, rotary: rotary, device: device)
        norm = hasFinalNorm ? try configuration.norm(parameters["norm"], device) : nil
        self.configuration = configuration
        self.device = device
    }

    public static func shapes(
        _ configuration: LayerConfiguration, count: Int, hasFinalNorm: Bool = false
    ) -> [ParameterShape] {
        EncoderLayer.stackShapes(configuration, count: count, hasFinalNorm: hasFinalNorm)
    }

    /// - Parameters:
    ///   - input: `[batch, length, modelDimension]`; packed sequences are a batch of 1.
    ///   - mask: which rows count.
    ///   - pass: memory, cancelling, and attention weights of a whole model; `nil` makes one.
    /// - Returns: shaped as the input. What is at masked rows has no meaning.
    public func callAsFunction(
        _ input: Tensor, mask: MultiHeadMask = .none, pass: ForwardPass? = nil
    ) throws(AttentionError) -> Tensor {
        let pass = pass ?? ForwardPass(device)
        let rows = try input.expectRows("input", configuration.modelDimension)
        let selection = try layers.first?.attention.selection(mask, queries: rows, keys: rows) ?? KeySelection()
        return try pass.run { () throws(AttentionError) in
            var stream = ResidualStream(rows, isNormFirst: configuration.isNormFirst, pass)
            for (index, layer) in layers.enumerated() {
                pass.enter(.encoder, layer: index)
                try layer.apply(to: &stream, selection)
            }
            return try stream.result(norm)
        }
    }
}
