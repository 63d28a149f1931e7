import AttentionCore

/// The cases of a verification, all of them made from `(cases, seed)`.
package enum CaseList {
    package static let floatTypes: [ElementType] = [.float32, .float16, .bfloat16]
    private static let maskTypes: [ElementType?] = [nil, .bool, .float32, .float16, .bfloat16, .float64]

    /// All specs in the order they run, none twice.
    package static func specs(_ cases: VerificationOptions.Cases, seed: UInt64) -> [CaseSpec] {
        var random = SeededGenerator(seed: seed, id: "cases")
        let isFull = cases == .full
        let pairs = pairwise(cases)
        var specs: [CaseSpec] = []
        specs += overTypes(edges, all: isFull)
        specs += overTypes(options(isFull: isFull), all: isFull)
        specs += overTypes(poisons(isFull: isFull, &random), all: isFull)
        specs += overTypes(logits(isFull: isFull), all: true, mixed: isFull)
        specs += sizes(isFull: isFull, &random)
        for round in 0..<(isFull ? fullRounds : 1) { specs += pairs.choose(name: isFull ? "\(round)" : "", &random) }
        specs += doubles
        specs += large(isFull: isFull)
        if !isFull { for index in specs.indices { tieTypes(&specs[index]) } }
        var seen = Set<CaseSpec>()
        return specs.filter { seen.insert($0).inserted }
    }

    /// How often a full run covers all pairs, with other sizes and other company each time.
    static let fullRounds = 10

    static func pairwise(_ cases: VerificationOptions.Cases) -> PairwiseChooser {
        PairwiseChooser(costLimit: cases == .full ? 6_000_000 : 2_000_000, hasFewTypes: cases == .quick)
    }

    /// The values' type, by index, that goes with a query's and a mask's in a quick run: 15 combinations in which each two types meet.
    static func tiedValueType(_ query: Int, mask: Int) -> Int { (query + [0, 1, 2, 1, 0, 2][mask]) % 3 }

    private static func tieTypes(_ spec: inout CaseSpec) {
        guard spec.group != .types, let query = floatTypes.firstIndex(of: spec.queryType) else { return }
        let mask = maskTypes.firstIndex(of: spec.maskType) ?? 0
        spec.valueType = floatTypes[tiedValueType(query, mask: mask)]
    }

    /// The specs in every type of query, or in one after the other; additive masks take the query's type where that is so.
    private static func overTypes(_ specs: [CaseSpec], all: Bool, mixed: Bool = false) -> [CaseSpec] {
        var result: [CaseSpec] = []
        for (index, spec) in specs.enumerated() {
            for (place, type) in floatTypes.enumerated() {
                // Edges run in each type always: they are what types are most likely to get wrong.
                guard all || spec.group == .edge || index % 3 == place else { continue }
                var typed = spec
                typed.queryType = type
                typed.valueType = type
                if let mask = spec.maskType, mask != .bool, mask == .float32 { typed.maskType = type }
                if spec.maskPattern == .minus8e37, type == .float16 { typed.maskType = .float32 }
                result.append(typed)
                guard mixed || (all && spec.group == .poison) else { continue }
                typed.valueType = floatTypes[(place + 1 + index % 2) % 3]
                result.append(typed)
            }
        }
        return result
    }

    // MARK: Options alone

    /// Each value of each option with everything else at rest.
    private static func options(isFull: Bool) -> [CaseSpec] {
        var specs: [CaseSpec] = []
        for factor in CaseFactor.all where !["queryLength", "keyLength"].contains(factor.name) {
            for (index, level) in factor.levels.enumerated().dropFirst() {
                var random = SeededGenerator(seed: UInt64(index), id: factor.name)
                for size in isFull ? [(9, 21), (33, 65)] : [[(9, 21), (33, 65)][index % 2]] {
                    var spec = CaseSpec()
                    spec.group = .option
                    spec.name = factor.name
                    (spec.queryLength, spec.keyLength) = size
                    (spec.headDimension, spec.valueDimension) = size.0 == 9 ? (35, 20) : (64, 64)
                    level.apply(&spec, &random)
                    adapt(&spec)
                    specs.append(spec)
                }
            }
        }
        return specs
    }

    /// Gives an option what it needs to mean something.
    private static func adapt(_ spec: inout CaseSpec) {
        if spec.maskType != nil, spec.maskForm == .none { spec.maskForm = .qk }
        if spec.maskForm != .none || spec.maskPattern != .mixed {
            spec.maskType = spec.maskType ?? .float32
            if spec.maskForm == .none { spec.maskForm = .bhqk }
        }
        if spec.probe == .paged { spec.lengths = .mixed }
        if spec.layout == .broadcast || spec.probe == .batch || spec.lengths != .none { spec.batch = 3 }
        if spec.probe == .separate { spec.packing = .sequences }
        if spec.poison != .none { spec.position = .causalBottomRight }
        if spec.windowLeft != nil || spec.windowRight != nil { spec.position = .bottomRight }
        spec.logSumExp = true
    }

    // MARK: Float64

    /// Double storage, which many devices cannot hold: their skips show, and take no pairs of options with them.
    private static var doubles: [CaseSpec] {
        var specs: [CaseSpec] = []
        func add(_ query: ElementType, _ value: ElementType, _ change: (inout CaseSpec) -> Void) {
            var spec = CaseSpec()
            spec.group = .types
            (spec.queryType, spec.valueType) = (query, value)
            (spec.queryLength, spec.keyLength, spec.logSumExp) = (5, 19, true)
            change(&spec)
            specs.append(spec)
        }
        for (query, value) in [(ElementType.float64, ElementType.float64), (.float32, .float64), (.float64, .float32)] {
            add(query, value) { _ in }
            add(query, value) { $0.position = .causal }
            add(query, value) { ($0.maskType, $0.maskForm) = (.float64, .qk) }
        }
        for (index, form) in CaseSpec.MaskForm.allCases.dropFirst().enumerated() {
            let type = floatTypes[index % 3]
            add(type, type) { ($0.maskType, $0.maskForm, $0.batch) = (.float64, form, 2) }
            add(type, type) { spec in
                (spec.maskType, spec.maskForm, spec.position, spec.scores) = (.float64, form, .causal, .masked)
            }
        }
        return specs
    }
}
