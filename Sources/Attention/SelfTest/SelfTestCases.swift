import AttentionCore

/// The small calls that a kernel is tried with: of the types and dimensions of the call that wants it, which decide what is compiled.
struct SelfTestCases: Codable, Hashable, Sendable {
    /// Queries up to which they are the call's own: more lead to no other tiles.
    private static let mostQueries = 255
    /// Rows to a key head from which how many heads share it makes no difference.
    private static let fewRows = 8

    let queryType: String
    let valueType: String
    let maskType: String?
    let headDimension: Int
    let valueDimension: Int
    /// Query heads to a key head.
    let group: Int
    let queryLength: Int
    let hasPast: Bool
    let scores: Int?

    init(_ problem: AttentionProblem) {
        let shape = problem.shape
        queryType = problem.queryType.rawValue
        valueType = problem.valueType.rawValue
        maskType = problem.maskType?.rawValue
        headDimension = shape.headDimension
        valueDimension = shape.valueDimension
        let longest = problem.segments.reduce(0) { max($0, $1.queryCount) }
        let group = max(shape.queryHeads / max(shape.keyValueHeads, 1), 1)
        queryLength = min(max(longest, 1), Self.mostQueries)
        self.group = queryLength * min(group, 2) > Self.fewRows ? min(group, 2) : group
        hasPast = problem.hasPast
        scores = problem.scores?.rawValue
    }

    /// Sizes that fit no tile, excluded keys, and every option that a kernel has a line for.
    var specs: [CaseSpec] {
        var plain = CaseSpec()
        plain.group = .types
        plain.name = "self-test"
        if let type = ElementType(rawValue: queryType) { plain.queryType = type }
        if let type = ElementType(rawValue: valueType) { plain.valueType = type }
        (plain.headDimension, plain.valueDimension) = (headDimension, valueDimension)
        (plain.queryLength, plain.keyLength) = (queryLength, 133)
        (plain.keyValueHeads, plain.queryHeads) = (1, group)
        plain.position = .causalBottomRight
        plain.logSumExp = true
        if let maskType, let type = ElementType(rawValue: maskType) { (plain.maskType, plain.maskForm) = (type, .b1qk) }
        if hasPast { plain.past = 29 }
        plain.scores = scores.flatMap(ScoreOutput.init)
        var hostile = plain
        hostile.keyLength = 37
        (hostile.batch, hostile.keyValueHeads, hostile.queryHeads) = (2, 2, 2 * group)
        hostile.position = .bottomRight
        hostile.windowLeft = 20
        hostile.softcap = 30
        hostile.alibi = .standard
        hostile.sinks = .finite
        hostile.layout = .blhd
        hostile.poison = .nan
        if !hasPast { hostile.lengths = .mixed }
        if maskType != nil { (hostile.maskForm, hostile.maskPattern) = (.bhqk, .firstRowClosed) }
        return [plain, hostile]
    }
}
