import AttentionCore

/// The exact result of a call, and the sums that bound the error of another implementation (see ``Contract``).
///
/// All arrays are row-major without gaps, whatever the layout of the call's tensors.
public struct ReferenceResult: Sendable {
    /// `[batch, queryHeads, queryLength, valueDimension]`. ±∞ stands where the attended values hold an infinity and no NaN: there
    /// any result that is not finite is right.
    public let output: [Double]
    /// `[batch, queryHeads, queryLength]`
    public let logSumExp: [Double]
    /// `[batch, queryHeads, queryLength]`: what is known of each row.
    public let rows: [ReferenceRow]
    /// The scores asked for, `[batch, queryHeads, queryLength, keyLength]`.
    public let scores: [Double]?
    /// For each score, the error that computing in `float32` may bring. ∞ where nothing is promised.
    public let scoreAllowance: [Double]?
    /// `Σ p|v|` for each output element; empty without bounds, as the next three.
    public let absolute: [Double]
    /// C1 = `Σ p·T·|v| + |output|·Σ p·T` for each output element.
    public let weightedTerms: [Double]
    /// C2, the same with the distance from the row's maximum in place of T.
    public let weightedGaps: [Double]
    /// What may be lost to numbers too small for `float32` (see ``Contract``).
    public let underflow: [Double]
    /// What products in half may add to the error of each output element; empty for ``Precision/standard``.
    public let halfAllowance: [Double]
    /// What the bounds are for.
    public let precision: Precision
}

/// What the reference knows of one row.
public struct ReferenceRow: Hashable, Sendable {
    /// What the contract promises for a row.
    public enum State: UInt8, Hashable, Sendable {
        /// The reference's numbers.
        case specified
        /// NaN: a score is NaN or +∞.
        case notANumber
        /// No crash, and nothing more: a score, or an intermediate of one, is larger than 2¹²⁶, or more than ``Precision/fast`` has
        /// room for.
        case unspecified
    }

    public var state = State.specified
    /// N, the keys that are not excluded.
    public var attended = 0
    /// The largest T of the attended keys and the sink.
    public var largestTerm = 0.0
    /// How far the best score is ahead of the second, the sink among them; ∞ for a key that is alone.
    public var lead = 0.0
    /// The lead that is left if every score is off by as much as `float32` arithmetic allows.
    public var certainLead = 0.0
    /// What products in half may add to the error of the log-sum-exp; 0 for ``Precision/standard``.
    public var logSumExpSlack = 0.0
    /// The key of the best score, counted from the first key of the row's segment; −1 in an empty row.
    public var bestKey = -1

    public init() {}
}

/// Results while they are made: rows are written by several processors, each element by one of them.
///
/// `@unchecked Sendable`: no two row blocks share an element, and nothing is read before all are done.
final class ResultBuffers: @unchecked Sendable {
    let output, logSumExp, scores, scoreAllowance: UnsafeMutableBufferPointer<Double>
    let absolute, weightedTerms, weightedGaps, underflow, halfAllowance: UnsafeMutableBufferPointer<Double>
    let rows: UnsafeMutableBufferPointer<ReferenceRow>
    let withBounds: Bool
    let precision: Precision
    private let storage: [HostStorage]

    init(_ problem: AttentionProblem, withBounds: Bool, _ precision: Precision) throws(AttentionError) {
        let shape = problem.shape
        var owners: [HostStorage] = []
        // Through HostStorage, since Swift's own allocation traps where memory is refused.
        func zeros(_ sizes: [Int], _ name: String, if needed: Bool = true) throws(AttentionError)
            -> UnsafeMutableBufferPointer<Double>
        {
            let count = needed ? try TensorLayout.product(sizes, operand: name) : 0
            let memory = try HostStorage(byteCount: try Tensor.byteCount(count, .float64, name))
            owners.append(memory)
            guard let bytes = memory.hostBytes else { return UnsafeMutableBufferPointer(start: nil, count: 0) }
            let numbers = bytes.bindMemory(to: Double.self)
            numbers.initialize(repeating: 0)
            return numbers
        }
        let rowShape = [shape.batch, shape.queryHeads, shape.queryLength]
        let elements = rowShape + [shape.valueDimension]
        let pairs = rowShape + [shape.keyLength]
        output = try zeros(elements, "output")
        absolute = try zeros(elements, "output", if: withBounds)
        weightedTerms = try zeros(elements, "output", if: withBounds)
        weightedGaps = try zeros(elements, "output", if: withBounds)
        underflow = try zeros(elements, "output", if: withBounds)
        halfAllowance = try zeros(elements, "output", if: withBounds && precision == .fast)
        logSumExp = try zeros(rowShape, "logSumExp")
        scores = try zeros(pairs, "scores", if: problem.scores != nil)
        scoreAllowance = try zeros(pairs, "scores", if: problem.scores != nil)
        rows = .allocate(capacity: try TensorLayout.product(rowShape, operand: "logSumExp"))
        rows.initialize(repeating: ReferenceRow())
        storage = owners
        self.withBounds = withBounds
        self.precision = precision
    }

    deinit { rows.deallocate() }

    func result(_ problem: AttentionProblem) -> ReferenceResult {
        ReferenceResult(
            output: Array(output), logSumExp: Array(logSumExp), rows: Array(rows),
            scores: problem.scores == nil ? nil : Array(scores),
            scoreAllowance: problem.scores == nil ? nil : Array(scoreAllowance),
            absolute: Array(absolute), weightedTerms: Array(weightedTerms), weightedGaps: Array(weightedGaps),
            underflow: Array(underflow), halfAllowance: Array(halfAllowance), precision: precision)
    }
}
