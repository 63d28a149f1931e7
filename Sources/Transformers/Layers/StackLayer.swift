import Attention

/// A layer that an encoder or decoder has several of, one on the other.
protocol StackLayer: Sendable {
    init(
        _ parameters: Parameters, _ configuration: LayerConfiguration, rotary: RotaryPositions?, device: Device
    ) throws
    static func shapes(_ configuration: LayerConfiguration) -> [ParameterShape]
}

extension EncoderLayer: StackLayer {}
extension DecoderLayer: StackLayer {}

extension StackLayer {
    /// `layers.0.…` and so on.
    static func stack(
        _ parameters: Parameters, _ configuration: LayerConfiguration, count: Int, rotary: RotaryPositions?,
        device: Device
    ) throws -> [Self] {
        try configuration.check()
        try LayerConfiguration.check(layers: count, "count")
        return try (0..<count).map {
            try Self(parameters["layers.\($0)"], configuration, rotary: rotary, device: device)
        }
    }

    /// The parameters of a stack, and of the `norm` at its end.
    static func stackShapes(
        _ configuration: LayerConfiguration, count: Int, hasFinalNorm: Bool
    ) -> [ParameterShape] {
        // A count that no stack may have is refused when one is made.
        let layers = 0..<min(max(count, 0), LayerConfiguration.mostLayers)
        return layers.flatMap { shapes(configuration).within("layers.\($0)") }
            + (hasFinalNorm ? configuration.normShapes.within("norm") : [])
    }
}

extension LayerConfiguration {
    static let mostLayers = 1 << 16

    static func check(layers count: Int, _ name: String) throws(AttentionError) {
        guard (0...mostLayers).contains(count) else {
            throw .invalid(name, .value, expected: "0 … \(mostLayers) layers", found: "\(count)")
        }
    }
}
