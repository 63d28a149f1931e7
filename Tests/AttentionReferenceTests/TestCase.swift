import AttentionCore

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Normal numbers from a seed (SplitMix64 and Box–Muller).
struct NormalGenerator {
    var state: UInt64

    init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 0x1234_5678 }

    mutating func bits() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func uniform() -> Double { (Double(bits() >> 11) + 0.5) * 0x1p-53 }

    mutating func normal() -> Double { (-2 * log(uniform())).squareRoot() * cos(2 * .pi * uniform()) }

    mutating func tensor(_ shape: [Int], _ type: ElementType, deviation: Double = 1) throws -> Tensor {
        try Tensor(
            (0..<shape.reduce(1, *)).map { _ in deviation * normal() }, shape: shape, elementType: type)
    }
}

/// A seeded call with the properties that strain arithmetic.
struct TestCase: Sendable, CustomStringConvertible {
    enum Mask: Sendable { case none, bool, small, large, closed, short }

    var seed: UInt64 = 1
    var shape = AttentionShape(queryLength: 4, keyLength: 64, headDimension: 64)
    var type = ElementType.float32
    var valueType: ElementType?
    /// The standard deviation of the logits.
    var deviation = 1.0
    /// What every logit has in common.
    var offset = 0.0
    var scale: Double?
    var softcap: Double?
    var mask = Mask.none
    var isCausal = false
    var alignment = AttentionMask.Alignment.topLeft
    var windowLeft: Int?
    var windowRight: Int?
    var alibi = 0.0
    var sink: Double?
    var lengths: [Int]?
    var past = 0
    var packed: (queries: [Int], keys: [Int])?
    var scores: ScoreOutput?
    /// What every value is multiplied by.
    var valueScale = 1.0
    var poisonsValue = false

    var description: String {
        "seed \(seed) \(shape) \(type) σ\(deviation) +\(offset) scale \(scale ?? 0) cap \(softcap ?? 0) mask \(mask)"
            + " alibi \(alibi) sink \(sink ?? -.infinity) causal \(isCausal)"
            + " scores \(scores.map { "\($0.rawValue)" } ?? "-")"
    }

    var isStandardNormal: Bool {
        deviation == 1 && offset == 0 && scale == nil && softcap == nil && alibi == 0 && valueScale == 1 && sink == nil
            && mask != .large && !poisonsValue
    }

    func make() throws -> (AttentionProblem, AttentionInputs) {
        var random = NormalGenerator(seed: seed)
        let s = shape
        let fresh = s.keyLength - past
        // The last element of each row carries the offset: scale · q·k gets `offset` from it alone.
        let factor = scale ?? 1 / Double(s.headDimension).squareRoot()
        let carried = (offset / max(abs(factor), 1e-30)).squareRoot()
        func operand(_ heads: Int, _ rows: Int, _ deviation: Double) throws -> Tensor {
            var values = (0..<s.batch * heads * rows * s.headDimension).map { _ in deviation * random.normal() }
            if offset != 0 {
                for index in stride(from: s.headDimension - 1, to: values.count, by: s.headDimension) {
                    values[index] = carried
                }
            }
            return try Tensor(values, shape: [s.batch, heads, rows, s.headDimension], elementType: type)
        }
        func values(_ rows: Int) throws -> Tensor {
            var v = (0..<s.batch * s.keyValueHeads * rows * s.valueDimension).map { _ in valueScale * random.normal() }
            if poisonsValue, !v.isEmpty { v[0] = .nan }
            return try Tensor(
                v, shape: [s.batch, s.keyValueHeads, rows, s.valueDimension], elementType: valueType ?? type)
        }
        var inputs = AttentionInputs(
            query: try operand(s.queryHeads, s.queryLength, deviation), key: try operand(s.keyValueHeads, fresh, 1),
            value: try values(fresh), mask: try attentionMask(&random))
        if past > 0 {
            inputs.pastKey = try operand(s.keyValueHeads, past, 1)
            inputs.pastValue = try values(past)
        }
        inputs.keyLengths = lengths
        if alibi != 0 { inputs.alibiSlopes = (0..<s.queryHeads).map { alibi / Double(1 << $0) } }
        if let sink { inputs.sinks = (0..<s.queryHeads).map { sink + 0.75 * Double($0) } }
        inputs.cumulativeQueryOffsets = packed?.queries
        inputs.cumulativeKeyOffsets = packed?.keys
        let options = AttentionOptions(scale: scale, softcap: softcap, scores: scores, logSumExp: true)
        return (try AttentionProblem(inputs, options), inputs)
    }

    private func attentionMask(_ random: inout NormalGenerator) throws -> AttentionMask {
        var result = AttentionMask()
        (result.isCausal, result.alignment) = (isCausal, alignment)
        (result.windowLeft, result.windowRight) = (windowLeft, windowRight)
        let (rows, keys) = (shape.queryLength, shape.keyLength)
        func entries(_ count: Int, _ size: Double) -> [Double] {
            (0..<count).map { _ in random.uniform() < 0.2 ? -.infinity : size * random.normal() }
        }
        switch mask {
        case .none: break
        case .bool:
            result.tensor = try Tensor((0..<rows * keys).map { _ in random.uniform() < 0.7 }, shape: [rows, keys])
        case .small: result.tensor = try Tensor(entries(rows * keys, 1), shape: [rows, keys])
        case .large: result.tensor = try Tensor(entries(rows * keys, 1e4), shape: [rows, keys])
        case .closed:
            // The first row may attend nothing.
            result.tensor = try Tensor((0..<rows * keys).map { $0 >= keys }, shape: [rows, keys])
        case .short: result.tensor = try Tensor(entries(rows * (keys - 3), 1), shape: [rows, keys - 3])
        }
        return result
    }
}
