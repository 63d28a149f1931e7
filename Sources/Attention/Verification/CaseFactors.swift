import AttentionCore

/// One thing that cases differ in, with the values that are tried in all pairs with those of every other factor.
struct CaseFactor: Sendable {
    struct Level: Sendable {
        let name: String
        let apply: @Sendable (inout CaseSpec, inout SeededGenerator) -> Void
    }

    let name: String
    /// The first is the one at rest.
    let levels: [Level]
    /// The value that a case has, by the name of a level or of a value that is not tried in pairs.
    let value: @Sendable (CaseSpec) -> String

    init(_ name: String, _ value: @escaping @Sendable (CaseSpec) -> String, _ levels: [Level]) {
        self.name = name
        self.value = value
        self.levels = levels
    }

    /// A factor whose levels are the values of a property.
    init<Value: Sendable>(
        _ name: String, _ path: any WritableKeyPath<CaseSpec, Value> & Sendable, _ values: [Value],
        text: @escaping @Sendable (Value) -> String = { "\($0)" }
    ) {
        self.init(
            name, { text($0[keyPath: path]) },
            values.map { value in Level(name: text(value)) { spec, _ in spec[keyPath: path] = value } })
    }

    /// A factor of a size, in bins with several sizes each.
    init(
        _ name: String, _ path: any WritableKeyPath<CaseSpec, Int> & Sendable, sizes: [[Int]],
        apply: @escaping @Sendable (inout CaseSpec, Int) -> Void
    ) {
        self.init(
            name, { Self.bin($0[keyPath: path]) },
            sizes.map { bin in
                Level(name: Self.bin(bin[0])) { spec, random in apply(&spec, random.pick(bin)) }
            })
    }

    static func bin(_ size: Int) -> String {
        switch size {
        case ...1: "\(size)"
        case ...8: "2-8"
        case ...17: "9-17"
        case ...33: "18-33"
        case ...65: "34-65"
        case ...129: "66-129"
        case ...257: "130-257"
        default: "258+"
        }
    }
}

extension CaseFactor {
    private static let lengths = [
        [2, 3, 5, 7, 8], [1], [15, 16, 17], [31, 32, 33], [47, 63, 64, 65], [96, 127, 128, 129], [191, 257],
    ]
    private static let dimensions = [
        [2, 3, 8], [1], [16, 9], [31, 32, 33], [35, 63, 64, 65], [72, 80, 96, 128, 129], [192, 256],
    ]

    private static let heads = [(2, 2), (1, 1), (2, 1), (6, 2), (4, 2), (8, 1)]
    private static let windows: [(Int?, Int?)] = [
        (nil, nil), (0, nil), (3, nil), (nil, 0), (nil, 2), (2, 1), (0, 0), (Int.max, nil), (1000, 1000),
    ]

    private static func window(_ left: Int?, _ right: Int?) -> String {
        func text(_ bound: Int?) -> String { bound.map { $0 == Int.max ? "max" : "\($0)" } ?? "*" }
        return left == nil && right == nil ? "none" : "\(text(left)),\(text(right))"
    }

    /// Every factor, in the order in which levels are applied: sizes before what has to fit into them.
    static let all: [CaseFactor] = [
        CaseFactor("queryLength", \.queryLength, sizes: lengths) { $0.queryLength = $1 },
        CaseFactor("keyLength", \.keyLength, sizes: lengths) { $0.keyLength = $1 },
        CaseFactor("headDimension", \.headDimension, sizes: dimensions) { $0.headDimension = $1 },
        CaseFactor("valueDimension", \.valueDimension, sizes: dimensions) { $0.valueDimension = $1 },
        CaseFactor("batch", \.batch, [1, 2, 3]),
        CaseFactor(
            "heads", { "\($0.queryHeads)/\($0.keyValueHeads)" },
            heads.map { heads in
                Level(name: "\(heads.0)/\(heads.1)") { spec, _ in
                    (spec.queryHeads, spec.keyValueHeads) = heads
                }
            }),
        CaseFactor("queryType", \.queryType, [.float32, .float16, .bfloat16]),
        CaseFactor("valueType", \.valueType, [.float32, .float16, .bfloat16]),
        CaseFactor(
            "maskType", \.maskType, [nil, .bool, .float32, .float16, .bfloat16],
            text: { $0.map { "\($0)" } ?? "none" }),
        CaseFactor("maskForm", \.maskForm, CaseSpec.MaskForm.allCases, text: \.rawValue),
        CaseFactor(
            "maskPattern", \.maskPattern, [.mixed, .open, .closed, .firstRowClosed, .minus1e4, .minus65504],
            text: \.rawValue),
        CaseFactor("position", \.position, CaseSpec.Position.allCases, text: \.rawValue),
        CaseFactor(
            "window", { window($0.windowLeft, $0.windowRight) },
            windows.map { bounds in
                Level(name: window(bounds.0, bounds.1)) { spec, _ in
                    (spec.windowLeft, spec.windowRight) = bounds
                }
            }),
        CaseFactor("softcap", \.softcap, [nil, 0, 1.5, 30], text: { $0.map { "\($0)" } ?? "none" }),
        CaseFactor("scale", \.scale, CaseSpec.Scale.allCases, text: \.rawValue),
        CaseFactor("alibi", \.alibi, CaseSpec.Alibi.allCases, text: \.rawValue),
        CaseFactor("sinks", \.sinks, CaseSpec.Sinks.allCases, text: \.rawValue),
        CaseFactor("lengths", \.lengths, CaseSpec.Lengths.allCases, text: \.rawValue),
        CaseFactor(
            "past", { $0.past == 0 ? "none" : $0.past == $0.keyLength ? "all" : "some" },
            [
                Level(name: "none") { _, _ in },
                Level(name: "some") { spec, random in
                    spec.past = spec.keyLength > 1 ? 1 + random.below(spec.keyLength - 1) : spec.keyLength
                },
                Level(name: "all") { spec, _ in spec.past = spec.keyLength },
            ]),
        CaseFactor("packing", \.packing, CaseSpec.Packing.allCases, text: \.rawValue),
        CaseFactor("layout", \.layout, CaseSpec.Layout.allCases, text: \.rawValue),
        CaseFactor("outputLayout", \.outputLayout, CaseSpec.OutputLayout.allCases, text: \.rawValue),
        CaseFactor(
            "scores", \.scores, [nil, .scaled, .softCapped, .masked, .probabilities],
            text: { $0.map { "\($0.rawValue)" } ?? "none" }),
        CaseFactor("logSumExp", \.logSumExp, [false, true]),
        CaseFactor(
            "logits", \.logits, [.normal, .deviation16, .offset, .leadFirst, .leadMiddle, .leadLast, .ties, .denormal],
            text: \.rawValue),
        CaseFactor("poison", \.poison, [.none, .nan, .plusInfinity, .minusInfinity, .huge], text: \.rawValue),
        CaseFactor("probe", \.probe, CaseSpec.Probe.allCases, text: \.rawValue),
        CaseFactor("memory", \.onDevice, [false, true], text: { $0 ? "device" : "host" }),
    ]

    /// Whether two values may stand in one case.
    static func mayMeet(_ a: String, _ x: String, _ b: String, _ y: String) -> Bool {
        isAllowed(a, x, b, y) && isAllowed(b, y, a, x)
    }

    private static func isAllowed(_ a: String, _ x: String, _ b: String, _ y: String) -> Bool {
        switch (a, b) {
        case ("maskType", "maskForm"): return (x == "none") == (y == "none")
        case ("maskType", "maskPattern"):
            return x == "none" ? y == "mixed" : !(x == "bool" && y.hasPrefix("minus"))
        case ("maskForm", "maskPattern"): return x != "none" || y == "mixed"
        case ("past", "lengths"), ("past", "packing"): return x == "none" || y == "none"
        case ("past", "keyLength"): return x != "some" || y != "1"
        case ("packing", "batch"): return x == "none" || y == "1"
        case ("packing", "layout"): return x == "none" || y != "broadcast"
        case ("packing", "probe"): return x == "none" ? y != "separate" : y != "batch"
        case ("layout", "batch"): return x != "broadcast" || y != "1"
        case ("layout", "poison"): return x != "broadcast" || y == "none"
        case ("probe", "batch"): return x == "batch" ? y != "1" : x == "separate" ? y == "1" : true
        case ("probe", "past"): return !["separate", "paged"].contains(x) || y == "none"
        case ("probe", "lengths"): return x != "paged" || y != "none"
        case ("probe", "packing"), ("probe", "scores"): return x != "paged" || y == "none"
        case ("probe", "layout"): return x != "separate" || y != "broadcast"
        case ("probe", "heads"): return x != "heads" || y != "1/1"
        case ("probe", "queryLength"): return x != "rows" || y != "1"
        default: return true
        }
    }
}
