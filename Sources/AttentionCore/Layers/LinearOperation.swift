/// What is applied to each number of a layer's output.
public enum Activation: String, Hashable, Sendable, CaseIterable {
    case none
    /// `max(x, 0)`.
    case relu
    /// `x · Φ(x)` with the normal distribution's Φ (Hendrycks and Gimpel 2016, arXiv 1606.08415).
    case gelu
    /// `x/2 · (1 + tanh(√(2/π)·(x + 0.044715·x³)))`, the approximation of the same paper.
    case geluTanh = "gelu-tanh"
    /// `x / (1 + e⁻ˣ)`, also called swish.
    case silu
}

/// `output = activation(input · weightᵀ + bias) + residual`.
///
/// | operand | shape |
/// |---|---|
/// | input | rows of `inputs` |
/// | weight | `[outputs, inputs]`, as PyTorch keeps it |
/// | bias | `[outputs]` |
/// | residual, output | rows of `outputs`; they may be the same tensor |
///
/// Cost: `rows · inputs · outputs` multiply-adds.
public struct LinearOperation: Sendable {
    public let input: Matrix
    public let weight: any PreparedWeight
    public let bias: Tensor?
    public let activation: Activation
    public let residual: Matrix?
    public let output: Matrix

    public var rows: Int { input.rows }
    public var inputs: Int { input.columns }
    public var outputs: Int { output.columns }

    /// - Throws: ``AttentionError/invalid(_:)`` for shapes or types that do not fit.
    public init(
        input: Tensor, weight: any PreparedWeight, bias: Tensor? = nil, activation: Activation = .none,
        residual: Tensor? = nil, output: Tensor
    ) throws(AttentionError) {
        self.input = try Matrix(input, "input")
        self.output = try Matrix(output, "output")
        guard weight.source.shape == [self.output.columns, self.input.columns] else {
            throw .invalid(
                "weight", .shape, expected: "[\(self.output.columns), \(self.input.columns)] for the input and output",
                found: "\(weight.source.shape)")
        }
        try self.output.expect(rows: self.input.rows, "output")
        try self.output.expectWritable("output")
        try bias?.expectVector(self.output.columns, "bias")
        var added: Matrix?
        if let residual {
            let matrix = try Matrix(residual, "residual")
            try matrix.expect(rows: self.input.rows, columns: self.output.columns, "residual")
            added = matrix
        }
        self.residual = added
        self.weight = weight
        self.bias = bias
        self.activation = activation
    }

    /// Checks a weight matrix before a backend takes it.
    ///
    /// - Throws: ``AttentionError/invalid(_:)`` unless it is a matrix without gaps, of a type that weights may have, on the host.
    public static func checkWeight(_ weight: Tensor) throws(AttentionError) {
        guard weight.rank == 2, weight.layout.isContiguous else {
            throw .invalid(
                "weight", .shape, expected: "[outputs, inputs] without gaps",
                found: "shape \(weight.shape) with strides \(weight.strides)")
        }
        guard Tensor.weightTypes.contains(weight.elementType) else {
            throw .invalid("weight", .elementType, expected: "f32, f16 or bf16", found: "\(weight.elementType)")
        }
        guard weight.storage.hostBytes != nil else {
            throw .invalid("weight", .value, expected: "host memory", found: "memory of \(weight.storage.place)")
        }
    }

    func mapped(
        _ input: (Tensor) throws(AttentionError) -> Tensor, _ output: (Tensor) throws(AttentionError) -> Tensor
    ) throws(AttentionError) -> LinearOperation {
        var (bias, residual): (Tensor?, Tensor?) = (nil, nil)
        if let tensor = self.bias { bias = try input(tensor) }
        if let matrix = self.residual { residual = try input(matrix.tensor) }
        return try LinearOperation(
            input: try input(self.input.tensor), weight: weight, bias: bias, activation: activation,
            residual: residual, output: try output(self.output.tensor))
    }
}
