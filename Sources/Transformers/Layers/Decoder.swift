public import Attention

/// A stack of decoder layers, with a normalisation at its end if there is one: nn.TransformerDecoder.
public struct Decoder: Sendable {
    public let configuration: LayerConfiguration
    public let layers: [DecoderLayer]
    public let device: Device
    let norm: LayerNorm?

    /// As ``Encoder/init(_:_:count:hasFinalNorm:rotary:device:)``; rotary positions are those of attention to oneself.
    public init(
        _ parameters: Parameters, _ configuration: LayerConfiguration, count: Int, hasFinalNorm: Bool = false,
        rotary: RotaryPositions? = nil, device: Device
    ) throws {
        layers = try DecoderLayer.stack(parameters, configuration, count: count, rotary: rotary, device: device)
        norm = hasFinalNorm ? try configuration.norm(parameters["norm"], device) : nil
        self.configuration = configuration
        self.device = device
    }

    public static func shapes(
        _ configuration: LayerConfiguration, count: Int, hasFinalNorm: Bool = false
    ) -> [ParameterShape] {
        DecoderLayer.stackShapes(configuration, count: count, hasFinalNorm: hasFinalNorm)
    }

    /// As ``DecoderLayer/callAsFunction(_:memory:targetMask:memoryMask:pass:)``.
    public func callAsFunction(
        _ target: Tensor, memory: Tensor, targetMask: MultiHeadMask = .causal, memoryMask: MultiHeadMask = .none,
        pass: ForwardPass? = nil
    ) throws(AttentionError) -> Tensor {
        let pass = pass ?? ForwardPass(device)
        let rows = try target.expectRows("target", configuration.modelDimension)
        let source = try memory.expectRows("memory", configuration.modelDimension)
        guard let first = layers.first else { return try norm?(rows, pass: pass) ?? rows }
        let own = try first.selfAttention.selection(targetMask, queries: rows, keys: rows)
        let other = try first.crossAttention.selection(memoryMask, queries: rows, keys: source)
        return try pass.run { () throws(AttentionError) in
            var stream = ResidualStream(rows, isNormFirst: configuration.isNormFirst, pass)
            for (index, layer) in layers.enumerated() {
                pass.enter(.decoder, layer: index)
                let keys = try layer.crossAttention.projectedKeys(source, nil, other, pass)
                try layer.apply(to: &stream, .selection(own), keys)
            }
            return try stream.result(norm)
        }
    }

    // MARK: - Step by step

    /// Keys and values of the encoder's output for each layer, computed once for all steps.
    func projectedMemory(
        _ memory: Tensor, _ selection: KeySelection, _ pass: ForwardPass
    ) throws(AttentionError) -> [ProjectedKeys] {
        var all: [ProjectedKeys] = []
        for layer in layers { all.append(try layer.crossAttention.projectedKeys(memory, nil, selection, pass)) }
        return all
    }

    /// One row of each sequence, `[1, sequences, modelDimension]`, behind those in the caches.
    ///
    /// - Parameters:
    ///   - memory: what each layer attends besides, and which rows do.
    ///   - caches: one a layer.
    func step(
        _ rows: Tensor, memory: [ProjectedKeys], caches: [KeyValueCache], _ pass: ForwardPass
    ) throws(AttentionError) -> Tensor {
        var stream = ResidualStream(rows, isNormFirst: configuration.isNormFirst, pass)
        for (index, layer) in layers.enumerated() {
            pass.enter(.decoder, layer: index)
            try layer.apply(to: &stream, .cache(caches[index]), memory[index])
        }
        return try stream.result(norm)
    }
}
