public import Attention

/// Layer normalisation of each row, or that by the root mean square.
///
///     layer: output = (x − mean(x)) / √(variance(x) + epsilon) · weight + bias
///     rms:   output = x / √(mean(x²) + epsilon) · weight
///
/// Sources: Ba et al. 2016, arXiv 1607.06450; Zhang and Sennrich 2019, arXiv 1910.07467.
public struct LayerNorm: Sendable {
    public let device: Device
    public let kind: NormalizationOperation.Kind
    public let dimension: Int
    public let epsilon: Double
    let weight: Tensor?
    let bias: Tensor?

    /// - Parameters:
    ///   - parameters: `weight` and `bias`, `[dimension]` each.
    ///   - dimension: the width of a row.
    ///   - epsilon: what is added to the variance.
    ///   - hasBias: whether there is a `bias`.
    ///   - kind: which of the two formulas.
    ///   - device: where to compute.
    public init(
        _ parameters: Parameters, dimension: Int, epsilon: Double = 1e-5, hasBias: Bool = true,
        kind: NormalizationOperation.Kind = .layer, device: Device
    ) throws {
        weight = try device.parameter(try parameters.vector("weight", [dimension]))
        bias = hasBias ? try device.parameter(try parameters.vector("bias", [dimension])) : nil
        (self.kind, self.dimension, self.epsilon, self.device) = (kind, dimension, epsilon, device)
    }

    public static func shapes(dimension: Int, hasBias: Bool = true) -> [ParameterShape] {
        let weight = [ParameterShape("weight", [dimension])]
        return hasBias ? weight + [ParameterShape("bias", [dimension])] : weight
    }

    /// Normalises `input`, or `input + residual`.
    ///
    /// - Parameters:
    ///   - input: `[…, dimension]`.
    ///   - residual: added before the normalisation, in the same step.
    ///   - pass: memory, cancelling, and attention weights of a whole model; `nil` makes one.
    public func callAsFunction(
        _ input: Tensor, residual: Tensor? = nil, pass: ForwardPass? = nil
    ) throws(AttentionError) -> Tensor {
        try normalized(input, residual, keepsSum: false, pass ?? ForwardPass(device)).output
    }

    /// The form above, which gives the sum as well if it is asked to.
    func normalized(
        _ input: Tensor, _ residual: Tensor?, keepsSum: Bool, _ pass: ForwardPass
    ) throws(AttentionError) -> (output: Tensor, sum: Tensor) {
        guard input.shape.last == dimension else {
            throw .invalid("input", .shape, expected: "rows of \(dimension)", found: "\(input.shape)")
        }
        let output = try pass.tensor(input.shape)
        // Not written over the residual: a step that a device fails at can be done again only while its operands are there.
        let sum = keepsSum && residual != nil ? try pass.tensor(input.shape) : nil
        try pass.perform(
            .normalization(
                NormalizationOperation(
                    kind, input: input, residual: residual, weight: weight, bias: bias, epsilon: epsilon, sum: sum,
                    output: output)))
        return (output, sum ?? input)
    }
}

/// Normalisation by the root mean square, without a bias.
public struct RMSNorm: Sendable {
    let norm: LayerNorm

    /// - Parameters:
    ///   - parameters: `weight`, `[dimension]`.
    ///   - dimension: the width of a row.
    ///   - epsilon: what is added to the mean square.
    ///   - device: where to compute.
    public init(_ parameters: Parameters, dimension: Int, epsilon: Double = 1e-6, device: Device) throws {
        norm = try LayerNorm(
            parameters, dimension: dimension, epsilon: epsilon, hasBias: false, kind: .rms, device: device)
    }

    /// As ``LayerNorm/callAsFunction(_:residual:pass:)``.
    public func callAsFunction(
        _ input: Tensor, residual: Tensor? = nil, pass: ForwardPass? = nil
    ) throws(AttentionError) -> Tensor {
        try norm(input, residual: residual, pass: pass)
    }
}
