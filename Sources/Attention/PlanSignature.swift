/// All of a problem that a plan is made for. Lengths and strides may change from call to call, nothing else.
///
/// Hashable, so that plans can be kept by it.
struct PlanSignature: Hashable, Sendable {
    let shape: AttentionShape
    let pastLength: Int
    /// Past keys of length 0 still make present ones, which a plan for none does not write.
    let hasPast: Bool
    /// Rows of a block; 0 without blocks.
    let blockSize: Int
    let queryType: ElementType
    let valueType: ElementType
    let maskType: ElementType?
    /// The mask tensor's shape, filled up with ones to rank 4.
    let maskShape: [Int]?
    let isCausal: Bool
    let windowLeft: Int?
    let windowRight: Int?
    let alignment: AttentionMask.Alignment
    let scale: Double
    let softcap: Double
    let alibiSlopes: [Double]
    let sinks: [Double]
    /// `nil` unless packed.
    let sequences: Int?
    let scores: ScoreOutput?
    let wantsLogSumExp: Bool

    init(_ problem: AttentionProblem, _ mask: AttentionMask) {
        self.init(
            problem, mask,
            maskShape: mask.tensor.map { Array(repeating: 1, count: max(0, 4 - $0.rank)) + $0.shape })
    }

    private init(_ problem: AttentionProblem, _ mask: AttentionMask, maskShape: [Int]?) {
        shape = problem.shape
        pastLength = problem.pastLength
        hasPast = problem.hasPast
        blockSize = problem.blockSize
        queryType = problem.queryType
        valueType = problem.valueType
        maskType = problem.maskType
        self.maskShape = maskShape
        isCausal = problem.isCausal
        windowLeft = problem.windowLeft
        windowRight = problem.windowRight
        alignment = mask.alignment
        scale = problem.scale
        softcap = problem.softcap
        alibiSlopes = problem.alibiSlopes
        sinks = problem.sinks
        sequences = problem.isPacked ? problem.segments.count : nil
        scores = problem.scores
        wantsLogSumExp = problem.wantsLogSumExp
    }

    /// Of a part of a call, whose positions are nobody's to choose: its mask's shape is what its strides tell.
    init(part problem: AttentionProblem) {
        let s = problem.shape
        let maskShape = problem.mask.map { view in
            [
                view.batch == 0 ? 1 : s.batch, view.head == 0 ? 1 : s.queryHeads, view.row == 0 ? 1 : s.queryLength,
                problem.maskKeys,
            ]
        }
        self.init(problem, .none, maskShape: maskShape)
    }

    /// - Throws: `AttentionError.invalid` that names the first thing in which `call` is not what was planned.
    func check(_ call: PlanSignature) throws(AttentionError) {
        // Messages are made for those that differ alone.
        if call == self { return }
        try Self.expect("shape", .shape, shape, call.shape)
        try Self.expect("pastKey", .shape, "\(pastLength) past keys", "\(call.pastLength) past keys")
        try Self.expect("pastKey", .combination, Self.past(hasPast), Self.past(call.hasPast))
        try Self.expect("blockTable", .combination, Self.blocks(blockSize), Self.blocks(call.blockSize))
        try Self.expect("query", .elementType, queryType, call.queryType)
        try Self.expect("value", .elementType, valueType, call.valueType)
        try Self.expect("mask", .elementType, Self.text(maskType), Self.text(call.maskType))
        try Self.expect("mask", .shape, Self.text(maskShape), Self.text(call.maskShape))
        try Self.expect("isCausal", .value, isCausal, call.isCausal)
        try Self.expect("windowLeft", .value, Self.text(windowLeft), Self.text(call.windowLeft))
        try Self.expect("windowRight", .value, Self.text(windowRight), Self.text(call.windowRight))
        try Self.expect("alignment", .value, alignment.rawValue, call.alignment.rawValue)
        try Self.expect("scale", .value, scale, call.scale)
        try Self.expect("softcap", .value, softcap, call.softcap)
        try Self.expect("alibiSlopes", .value, alibiSlopes, call.alibiSlopes)
        try Self.expect("sinks", .value, sinks, call.sinks)
        try Self.expect(
            "cumulativeQueryOffsets", .count, Self.text(sequences, " sequences"),
            Self.text(call.sequences, " sequences"))
        try Self.expect("scores", .value, Self.text(scores), Self.text(call.scores))
        try Self.expect("logSumExp", .value, wantsLogSumExp, call.wantsLogSumExp)
    }

    private static func past(_ isThere: Bool) -> String { isThere ? "past keys" : "no past keys" }

    private static func blocks(_ size: Int) -> String { size == 0 ? "no blocks" : "blocks of \(size) keys" }

    private static func text<Value>(_ value: Value?, _ unit: String = "") -> String {
        value.map { "\($0)\(unit)" } ?? "none"
    }

    private static func expect<Value: Equatable>(
        _ operand: String, _ kind: InvalidOperand.Kind, _ planned: Value, _ given: Value
    ) throws(AttentionError) {
        guard planned == given else {
            throw .invalid(operand, kind, expected: "\(planned), which the plan was made for", found: "\(given)")
        }
    }
}
