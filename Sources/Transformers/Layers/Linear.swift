public import Attention

/// `output = activation(input · weightᵀ + bias)`, with the result of an earlier step added where one is given.
///
/// | parameter | shape |
/// |---|---|
/// | `weight` | `[outputs, inputs]`, of `float32`, `float16` or `bfloat16` |
/// | `bias` | `[outputs]` |
///
/// Cost: `rows · inputs · outputs` multiply-adds.
public struct Linear: Sendable {
    public let device: Device
    public let inputs: Int
    public let outputs: Int
    let weight: any PreparedWeight
    let bias: Tensor?

    /// - Throws: what the source of the parameters throws; `AttentionError` of the device.
    public init(_ parameters: Parameters, inputs: Int, outputs: Int, hasBias: Bool = true, device: Device) throws {
        let bias = hasBias ? try parameters.vector("bias", [outputs]) : nil
        try self.init(weight: try parameters.tensor("weight", [outputs, inputs]), bias: bias, device: device)
    }

    /// A layer of a matrix `[outputs, inputs]` and a vector `[outputs]` in host memory.
    public init(weight: Tensor, bias: Tensor? = nil, device: Device) throws(AttentionError) {
        self.weight = try device.prepare(weight: weight)
        self.bias = try bias.map { (tensor) throws(AttentionError) in try device.parameter(tensor) }
        (outputs, inputs) = (weight.shape[0], weight.shape[1])
        self.device = device
    }

    public static func shapes(inputs: Int, outputs: Int, hasBias: Bool = true) -> [ParameterShape] {
        let weight = [ParameterShape("weight", [outputs, inputs])]
        return hasBias ? weight + [ParameterShape("bias", [outputs])] : weight
    }

    /// - Parameters:
    ///   - input: `[…, inputs]`, rows at one stride.
    ///   - activation: what is applied to the result.
    ///   - residual: `[…, outputs]`, added after the activation.
    ///   - pass: memory, cancelling, and attention weights of a whole model; `nil` makes one.
    /// - Returns: `[…, outputs]`.
    public func callAsFunction(
        _ input: Tensor, activation: Activation = .none, residual: Tensor? = nil, pass: ForwardPass? = nil
    ) throws(AttentionError) -> Tensor {
        let pass = pass ?? ForwardPass(device)
        let output = try pass.tensor(input.shape.dropLast() + [outputs])
        try pass.perform(
            .linear(
                LinearOperation(
                    input: input, weight: weight, bias: bias, activation: activation, residual: residual,
                    output: output)))
        return output
    }
}
