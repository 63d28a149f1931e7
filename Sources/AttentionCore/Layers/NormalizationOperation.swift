/// Layer normalisation, or that by the root mean square, over each row of `input + residual`.
///
///     layer: output = (x − mean(x)) / √(variance(x) + epsilon) · weight + bias
///     rms:   output = x / √(mean(x²) + epsilon) · weight + bias
///
/// The variance is that of the row itself (divided by its width). Sources: Ba et al. 2016, arXiv 1607.06450; Zhang and Sennrich 2019,
/// arXiv 1910.07467.
public struct NormalizationOperation: Sendable {
    public enum Kind: String, Hashable, Sendable { case layer, rms }

    public let kind: Kind
    public let input: Matrix
    public let residual: Matrix?
    public let weight: Tensor?
    public let bias: Tensor?
    public let epsilon: Float
    /// Where `input + residual` is written as well; may be the input or the residual.
    public let sum: Matrix?
    /// May be the input or the residual, unless that is the sum.
    public let output: Matrix

    public var rows: Int { input.rows }
    public var columns: Int { input.columns }

    /// - Throws: ``AttentionError/invalid(_:)`` for shapes or types that do not fit, or an epsilon that is negative or not finite.
    public init(
        _ kind: Kind = .layer, input: Tensor, residual: Tensor? = nil, weight: Tensor? = nil, bias: Tensor? = nil,
        epsilon: Double = 1e-5, sum: Tensor? = nil, output: Tensor
    ) throws(AttentionError) {
        self.kind = kind
        self.input = try Matrix(input, "input")
        self.output = try Matrix(output, "output")
        let (rows, columns) = (self.input.rows, self.input.columns)
        guard epsilon >= 0, epsilon.isFinite else {
            throw .invalid("epsilon", .value, expected: "a finite number of 0 or more", found: "\(epsilon)")
        }
        self.epsilon = Float(epsilon)
        try self.output.expect(rows: rows, columns: columns, "output")
        try self.output.expectWritable("output")
        var others: [Matrix?] = []
        for (tensor, name) in [(residual, "residual"), (sum, "sum")] {
            guard let tensor else {
                others.append(nil)
                continue
            }
            let matrix = try Matrix(tensor, name)
            try matrix.expect(rows: rows, columns: columns, name)
            if name == "sum" { try matrix.expectWritable(name) }
            others.append(matrix)
        }
        (self.residual, self.sum) = (others[0], others[1])
        try weight?.expectVector(columns, "weight")
        try bias?.expectVector(columns, "bias")
        self.weight = weight
        self.bias = bias
    }

    func mapped(
        _ input: (Tensor) throws(AttentionError) -> Tensor, _ output: (Tensor) throws(AttentionError) -> Tensor
    ) throws(AttentionError) -> NormalizationOperation {
        var (residual, weight, bias, sum): (Tensor?, Tensor?, Tensor?, Tensor?) = (nil, nil, nil, nil)
        if let matrix = self.residual { residual = try input(matrix.tensor) }
        if let tensor = self.weight { weight = try input(tensor) }
        if let tensor = self.bias { bias = try input(tensor) }
        if let matrix = self.sum { sum = try output(matrix.tensor) }
        return try NormalizationOperation(
            kind, input: try input(self.input.tensor), residual: residual, weight: weight, bias: bias,
            epsilon: Double(epsilon), sum: sum, output: try output(self.output.tensor))
    }
}
