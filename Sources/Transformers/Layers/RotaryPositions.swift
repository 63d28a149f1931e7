public import Attention

/// Rotary positions: the numbers of each query and key turned in pairs, by an angle that grows with the position.
///
///     angle[p, i] = p · base^(−2i / dimension)
///
/// Source: Su et al. 2021, arXiv 2104.09864.
public struct RotaryPositions: Sendable {
    public let pairing: RotaryOperation.Pairing
    let cosines: Tensor
    let sines: Tensor

    /// - Parameters:
    ///   - positions: how many there are.
    ///   - dimension: how many numbers of a head are turned, from its first on; even.
    ///   - base: 10000 in the paper.
    ///   - pairing: which numbers make a pair.
    ///   - device: where to compute.
    public init(
        positions: Int, dimension: Int, base: Double = 10000, pairing: RotaryOperation.Pairing = .halves,
        device: Device
    ) throws(AttentionError) {
        guard (2...1 << 24).contains(dimension), dimension.isMultiple(of: 2) else {
            throw .invalid("dimension", .value, expected: "an even number of 2 … \(1 << 24)", found: "\(dimension)")
        }
        guard base > 0, base.isFinite else {
            throw .invalid("base", .value, expected: "a finite number above 0", found: "\(base)")
        }
        let pairs = dimension / 2
        let frequencies = (0..<pairs).map { power(base, -2 * Double($0) / Double(dimension)) }
        func table(_ function: (Double) -> Double) throws(AttentionError) -> Tensor {
            try device.parameter(
                try Tensor.filled([positions, pairs]) { index in
                    let (position, pair) = index.quotientAndRemainder(dividingBy: pairs)
                    return Float(function(Double(position) * frequencies[pair]))
                })
        }
        (cosines, sines) = (try table(cosine), try table(sine))
        self.pairing = pairing
    }

    /// Turns rows of heads into new memory.
    ///
    /// - Parameters:
    ///   - rows: `[batch, length, heads · dimension]`.
    ///   - starts: the position of each batch entry's first row.
    ///   - offsets: where packed sequences begin, in a batch of 1; each begins at position 0 then.
    func callAsFunction(
        _ rows: Tensor, heads: Int, starts: [Int32], offsets: [Int]?, _ pass: ForwardPass
    ) throws(AttentionError) -> Tensor {
        let output = try pass.tensor(rows.shape)
        func turn(_ range: Range<Int>, _ starts: [Int32]) throws(AttentionError) {
            try pass.perform(
                .rotary(
                    RotaryOperation(
                        input: try rows.sliced(axis: 1, range).splitIntoHeads(heads), cosines: cosines, sines: sines,
                        starts: starts, pairing: pairing,
                        output: try output.sliced(axis: 1, range).splitIntoHeads(heads))))
        }
        if let offsets {
            for (from, to) in zip(offsets, offsets.dropFirst()) where to > from { try turn(from..<to, [0]) }
        } else {
            try turn(0..<rows.shape[1], starts)
        }
        return output
    }
}
