import AttentionCore
import KernelCalls

/// Calls that one search for tiles speaks for: of the same types, of head dimensions that fill the same multiples of 16, of as many
/// rows to a key head while these are few, and of lengths and counts of heads between the same powers of 4.
struct ShapeClass: Hashable, Sendable, CustomStringConvertible {
    let description: String

    /// - Parameter policy: What the caller forces: a kernel family, or a precision.
    init(_ problem: AttentionProblem, _ policy: PlanPolicy) {
        let shape = problem.shape
        let queries = problem.segments.reduce(0) { max($0, $1.queryCount) }
        let keys = problem.segments.reduce(0) { max($0, $1.keyCount) }
        // Which kernel is faster turns on them.
        let rows = DecodeSplit(problem, computeUnits: 1).rows
        var words = [
            "\(problem.queryType)", "\(problem.valueType)", problem.maskType == nil ? "plain" : "masked",
            "D\(Self.sixteens(shape.headDimension))/\(Self.sixteens(shape.valueDimension))",
            "R\(rows <= DecodeSplit.mostRows ? rows : Self.power(rows))",
            "L\(Self.power(queries))×\(Self.power(keys))",
            "H\(Self.power(shape.keyValueHeads * problem.segments.count))",
            policy.family ?? "any",
        ]
        if policy.precision != .standard { words.append("\(policy.precision)") }
        description = words.joined(separator: " ")
    }

    private static func sixteens(_ size: Int) -> Int { (max(size, 1) + 15) / 16 * 16 }

    /// The power of 4 that holds `count`.
    private static func power(_ count: Int) -> Int {
        var power = 1
        while power < count, power < 1 << 30 { power *= 4 }
        return power
    }
}
