public import Attention

/// The position-wise layer: each row widened, bent and narrowed again.
///
///     output = activation(input · W1ᵀ + b1) · W2ᵀ + b2
///
/// Source: Vaswani et al. 2017, arXiv 1706.03762, section 3.3.
public struct FeedForward: Sendable {
    public let activation: Activation
    let widening: Linear
    let narrowing: Linear

    /// - Parameters:
    ///   - parameters: `linear1.weight` `[hiddenDimension, modelDimension]`, `linear2.weight`, and their `bias`.
    ///   - modelDimension: the width of a row.
    ///   - hiddenDimension: the width in between.
    ///   - activation: what bends.
    ///   - hasBias: whether there are biases.
    ///   - device: where to compute.
    public init(
        _ parameters: Parameters, modelDimension: Int, hiddenDimension: Int, activation: Activation = .relu,
        hasBias: Bool = true, device: Device
    ) throws {
        widening = try Linear(
            parameters["linear1"], inputs: modelDimension, outputs: hiddenDimension, hasBias: hasBias, device: device)
        narrowing = try Linear(
            parameters["linear2"], inputs: hiddenDimension, outputs: modelDimension, hasBias: hasBias, device: device)
        self.activation = activation
    }

    public static func shapes(modelDimension: Int, hiddenDimension: Int, hasBias: Bool = true) -> [ParameterShape] {
        Linear.shapes(inputs: modelDimension, outputs: hiddenDimension, hasBias: hasBias).within("linear1")
            + Linear.shapes(inputs: hiddenDimension, outputs: modelDimension, hasBias: hasBias).within("linear2")
    }

    /// - Parameters:
    ///   - input: `[…, modelDimension]`.
    ///   - pass: memory, cancelling, and attention weights of a whole model; `nil` makes one.
    public func callAsFunction(_ input: Tensor, pass: ForwardPass? = nil) throws(AttentionError) -> Tensor {
        let pass = pass ?? ForwardPass(widening.device)
        return try narrowing(try widening(input, activation: activation, pass: pass), pass: pass)
    }
}
