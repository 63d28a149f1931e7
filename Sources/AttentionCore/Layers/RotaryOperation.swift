/// Turns pairs of numbers of each row by an angle that grows with the row's position.
///
///     (x, y) → (x·cos − y·sin, x·sin + y·cos),   angle = position · frequencies[pair]
///
/// Cosines and sines come as tables, so that every kernel turns by the same numbers. Dimensions behind the last pair stay as they are.
/// Source: Su et al. 2021, arXiv 2104.09864.
public struct RotaryOperation: Sendable {
    /// Which numbers of a row make pair `p` of `n`.
    public enum Pairing: String, Hashable, Sendable {
        /// Numbers `p` and `p + n`, as Hugging Face's models have it.
        case halves
        /// Numbers `2p` and `2p + 1`, as the paper has it.
        case interleaved
    }

    /// `[batch, heads, length, dimension]` of `float32`, rows without gaps.
    public let input: Tensor
    /// `[positions, pairs]` of `float32`.
    public let cosines: Matrix
    public let sines: Matrix
    /// The position of each batch entry's first row; the others follow.
    public let starts: [Int32]
    public let pairing: Pairing
    /// Shaped as the input; may be the input.
    public let output: Tensor

    public var pairs: Int { cosines.columns }

    /// - Throws: ``AttentionError/invalid(_:)`` for shapes that do not fit, or positions beyond the tables.
    public init(
        input: Tensor, cosines: Tensor, sines: Tensor, starts: [Int32], pairing: Pairing = .halves, output: Tensor
    ) throws(AttentionError) {
        self.cosines = try Matrix(cosines, "cosines")
        self.sines = try Matrix(sines, "sines")
        try self.sines.expect(rows: self.cosines.rows, columns: self.cosines.columns, "sines")
        for (tensor, name) in [(input, "input"), (output, "output")] {
            guard tensor.rank == 4, tensor.elementType == .float32, tensor.shape[3] <= 1 || tensor.strides[3] == 1
            else {
                throw .invalid(
                    name, .shape, expected: "[batch, heads, length, dimension] of f32, rows without gaps",
                    found: "\(tensor.shape) of \(tensor.elementType), strides \(tensor.strides)")
            }
        }
        guard output.shape == input.shape, !output.layout.mayOverlapItself else {
            throw .invalid(
                "output", .shape, expected: "\(input.shape), elements apart",
                found: "\(output.shape), \(output.strides)")
        }
        let (batch, length, dimension) = (input.shape[0], input.shape[2], input.shape[3])
        guard self.cosines.columns <= dimension / 2 else {
            throw .invalid(
                "cosines", .shape, expected: "at most \(dimension / 2) pairs", found: "\(self.cosines.columns)")
        }
        guard starts.count == batch else {
            throw .invalid("starts", .count, expected: "\(batch), one a batch entry", found: "\(starts.count)")
        }
        let last = self.cosines.rows - length
        if length > 0, let wrong = starts.first(where: { $0 < 0 || Int($0) > last }) {
            throw .invalid("starts", .value, expected: "0 … \(last) for \(length) rows", found: "\(wrong)")
        }
        (self.input, self.starts, self.pairing, self.output) = (input, starts, pairing, output)
    }

    func mapped(
        _ input: (Tensor) throws(AttentionError) -> Tensor, _ output: (Tensor) throws(AttentionError) -> Tensor
    ) throws(AttentionError) -> RotaryOperation {
        try RotaryOperation(
            input: try input(self.input), cosines: try input(cosines.tensor), sines: try input(sines.tensor),
            starts: starts, pairing: pairing, output: try output(self.output))
    }
}
