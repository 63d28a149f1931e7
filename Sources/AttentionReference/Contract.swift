import AttentionCore

/// When a result counts as equal to the reference: the gates of the contract, and the error bounds behind them.
///
/// With `u = 2⁻²⁴`, `N` attended keys, `T_j` the size of what score `j` is summed from, `g_j` its distance from the best score:
///
///     C1 = Σ p T |v| + |O| Σ p T        C2 the same with g        A = Σ p |v|
///     acc = u·(√D·C1 + 2·C2 + (√N + 10)·A)
///     det = u·((D + 4)·C1 + 4·C2 + 2(N + 12)·A)
///
/// Both get an `underflow` term beside the relative ones: single precision takes weights below 2⁻¹²⁵ for zero, and devices may
/// take products below 2⁻¹²⁶ for zero, so that values of keys far behind are lost whatever their size.
public enum Contract {
    /// Half a unit in the last place of single precision.
    public static let unit = 0x1p-24
    /// A key ahead by more than this is the result, exactly.
    public static let exactLead = 110.0
    /// Weights of keys further behind may be taken for zero.
    public static let smallestGap = 80.0
    /// Beyond this size of a score, or of what it is summed from, nothing is promised of the row's numbers.
    public static let largestScore = 0x1p126

    /// The expected error of a good kernel.
    static func accuracy(_ bound: OutputBound, depth: Int, attended: Int) -> Double {
        let n = Double(attended)
        return unit * (Double(depth).squareRoot() * bound.c1 + 2 * bound.c2 + (n.squareRoot() + 10) * bound.a)
            + underflow(bound, n)
    }

    /// What no kernel may exceed.
    static func limit(_ bound: OutputBound, depth: Int, attended: Int) -> Double {
        let n = Double(attended)
        return unit * (Double(depth + 4) * bound.c1 + 4 * bound.c2 + 2 * (n + 12) * bound.a) + underflow(bound, n)
    }

    private static func underflow(_ bound: OutputBound, _ attended: Double) -> Double {
        0x1p-124 * bound.lost + 0x1p-126 * attended
    }

    /// What storing a value in `type` may add to its error.
    static func rounding(_ type: ElementType, _ value: Double) -> Double {
        switch type {
        case .float16: 0x1p-11 * abs(value) + 0x1p-25
        case .bfloat16: 0x1p-8 * abs(value) + 0x1p-134
        case .float64, .float32, .bool, .int32, .int64: 0
        }
    }
}

/// A gate that a result did not pass.
public struct Finding: Hashable, Sendable, CustomStringConvertible {
    /// `output`, `logSumExp`, `scores`, `presentKey` or `presentValue`.
    public let tensor: String
    /// `G0` to `G4`, `E`, `L`, `S`, or `bits`.
    public let gate: String
    /// How many times what is allowed; infinite where nothing is.
    public let ratio: Double
    /// The place and the numbers.
    public let detail: String

    public init(tensor: String, gate: String, ratio: Double, detail: String) {
        self.tensor = tensor
        self.gate = gate
        self.ratio = ratio
        self.detail = detail
    }

    public var description: String { "\(tensor) \(gate) ×\(ratio): \(detail)" }
}

/// The largest ratios met, gate by gate, whether they pass or not.
public struct GateRatios: Hashable, Sendable {
    public private(set) var largest: [String: Double] = [:]

    public init() {}

    public mutating func note(_ gate: String, _ ratio: Double) { largest[gate] = max(largest[gate] ?? 0, ratio) }

    public mutating func merge(_ other: GateRatios) { for (gate, ratio) in other.largest { note(gate, ratio) } }
}
