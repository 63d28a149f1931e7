import AttentionCore

/// One tensor that a step writes, as the definition has it.
public struct LayerResult: Sendable {
    /// What the operation calls it: `output`, `sum`, `probabilities`, `indices`, `values`.
    public let name: String
    /// Where it belongs.
    public let target: Tensor
    /// In row-major order.
    public var values: [Double]
    /// How far a correct computation in `float32` may be off, one a value; ``LayerReference`` says by which formula. Empty where no
    /// bounds were asked for.
    public var allowances: [Double]
}

/// Each step of a layer by its definition: plain loops in `Double`, results rounded once.
///
/// With u = 2⁻²⁴, what a correct result may be off by, as its terms and the usual growth of rounding errors have it
/// (three times the square root of their number, as in gate L of attention):
///
/// | step | allowance |
/// |---|---|
/// | linear | u·( (3√K + 8)·S·slope + 8·abs(z) + 2·abs(result) ), K inputs, S = Σ\|x·w\| + \|bias\|, z before the activation |
/// | layer_norm | u·( abs(weight)·r·( (3√N + 8)·(mean\|x\| + \|x − mean\|) + \|input\| + \|residual\| ) + 2·(abs(result) + abs(bias)) ) |
/// | embedding | u·(terms + 1)·Σ\|scale·entry\| |
/// | additive | u·( 3·Σ p·δ·\|v\| + 3·\|O\|·Σ p·δ + (3√N + 12)·Σ p·\|v\| ), δ = 3√A·Σ\|w·t\| + Σ\|w\|·(6\|t\| + (1 − t²)·(\|q\| + \|k\|)) + 4·gap |
/// | rotary | 4u·(\|x·cos\| + \|y·sin\|) |
/// | select | 0 for indices; u·( 3√N + 12 + 4·\|value\| + 2·\|logit\| + 2·\|largest\| ) for values |
/// | pool | u·(3√n + 6)·mean\|x\|, for `max` and `cls` 0; normalised: of the vector's length and u·(3√N + 12) of itself more |
/// | copy | 0 |
///
/// Results that are NaN or infinite are due at the same places, an infinity where the other is the same one.
public enum LayerReference {
    static let u = 0x1p-24

    /// What `operation` writes.
    ///
    /// - Parameter withBounds: whether allowances are computed as well, which takes about as long again.
    /// - Throws: what a device throws in a download; ``AttentionError/cancelled``.
    public static func evaluate(
        _ operation: LayerOperation, control: RunControl = .init(), withBounds: Bool = true
    ) throws(AttentionError) -> [LayerResult] {
        switch operation {
        case .linear(let step): [try linear(step, control, withBounds)]
        case .normalization(let step): try normalization(step, withBounds)
        case .embedding(let step): [try embedding(step, withBounds)]
        case .additiveAttention(let step): try additive(step, control, withBounds)
        case .rotary(let step): [try rotary(step, withBounds)]
        case .selection(let step): try selection(step, withBounds)
        case .pooling(let step): [try pooling(step, withBounds)]
        case .copy(let step): [try copy(step, withBounds)]
        }
    }

    /// How closely the tensors of `operation`, which some device has written, keep to `results`: one finding for G0, where NaN and
    /// infinities stand, and one for `layer`, the error over what is allowed, for each tensor.
    public static func measure(_ results: [LayerResult]) throws(AttentionError) -> [Finding] {
        var all: [Finding] = []
        for result in results {
            let found = try result.target.doubles()
            var kind = GateMeter(result.name, "G0", shape: result.target.shape)
            var size = GateMeter(result.name, "layer", shape: result.target.shape)
            for index in found.indices {
                let (actual, due, allowed) = (found[index], result.values[index], result.allowances[index])
                guard allowed < .infinity || !due.isFinite else { continue }
                let isRight =
                    due.isInfinite
                    ? actual == due
                    : Contract.isOfRightKind(actual, expected: due, allowed: allowed, result.target.elementType)
                kind.note(isRight ? 0 : .infinity, index, found: actual, expected: due)
                guard actual.isFinite, due.isFinite else { continue }
                size.note(
                    error: abs(actual - due), rounding: 0, allowed: allowed, index, found: actual, expected: due)
            }
            all += [kind, size].compactMap(\.finding)
        }
        return all
    }

    /// The gates that what was written fails. Empty if all is right.
    public static func findings(_ results: [LayerResult]) throws(AttentionError) -> [Finding] {
        try measure(results).filter { $0.ratio > 1 }
    }
}

/// Rows of `Double`, gathered once from whatever strides, types and devices they come in.
struct ReferenceMatrix {
    let rows: Int
    let columns: Int
    let values: [Double]

    init(_ matrix: Matrix) throws(AttentionError) {
        rows = matrix.rows
        columns = matrix.columns
        values = try matrix.tensor.doubles()
    }

    func row(_ index: Int) -> ArraySlice<Double> { values[index * columns..<(index + 1) * columns] }
}

extension Tensor {
    /// The elements as `Double`, or as many of `value` where there is no tensor.
    static func doubles(_ tensor: Tensor?, count: Int, default value: Double) throws(AttentionError) -> [Double] {
        guard let tensor else { return [Double](repeating: value, count: count) }
        return try tensor.doubles()
    }
}
