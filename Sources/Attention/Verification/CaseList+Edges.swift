import AttentionCore

extension CaseList {
    private static func edge(_ name: String, _ change: (inout CaseSpec) -> Void) -> CaseSpec {
        var spec = CaseSpec()
        spec.group = .edge
        spec.name = name
        spec.batch = 2
        (spec.queryHeads, spec.keyValueHeads) = (4, 2)
        (spec.queryLength, spec.keyLength) = (5, 19)
        (spec.headDimension, spec.valueDimension) = (16, 24)
        spec.logSumExp = true
        change(&spec)
        return spec
    }

    private static func mask(
        _ spec: inout CaseSpec, _ type: ElementType, _ form: CaseSpec.MaskForm, _ pattern: CaseSpec.MaskPattern
    ) {
        (spec.maskType, spec.maskForm, spec.maskPattern) = (type, form, pattern)
    }

    /// SEMANTICS' table of edges, line by line. Poisoned ones and leads over 110 have groups of their own.
    static var edges: [CaseSpec] {
        var specs: [CaseSpec] = []
        // Every key of a row excluded: by each means, without and with a sink, in each kind of scores.
        let means: [(String, (inout CaseSpec) -> Void)] = [
            ("closed-bool", { mask(&$0, .bool, .qk, .closed) }),
            ("closed-add", { mask(&$0, .float32, .bhqk, .closed) }),
            ("first-row-bool", { mask(&$0, .bool, .bhqk, .firstRowClosed) }),
            ("first-row-add", { mask(&$0, .float32, .qk, .firstRowClosed) }),
            ("no-keys", { $0.keyLength = 0 }),
            ("lengths-zero", { $0.lengths = .zero }),
            ("causal-above", { ($0.position, $0.queryLength, $0.keyLength) = (.causalBottomRight, 19, 5) }),
            ("window-past-end", { ($0.windowLeft, $0.windowRight, $0.queryLength, $0.keyLength) = (0, 0, 19, 5) }),
            (
                "window-before-start",
                { spec in
                    (spec.position, spec.windowRight) = (.bottomRight, 0)
                    (spec.queryLength, spec.keyLength) = (19, 5)
                }
            ),
            (
                "short-mask",
                { spec in
                    mask(&spec, .float32, .short1, .open)
                    (spec.position, spec.windowLeft) = (.causal, 0)
                }
            ),
            ("empty-sequences", { ($0.batch, $0.packing) = (1, .withEmpty) }),
        ]
        for (name, change) in means {
            for sinks in [CaseSpec.Sinks.none, .finite, .absent] {
                specs.append(edge(name, change))
                specs[specs.count - 1].sinks = sinks
            }
            for scores in ScoreOutput.allCases {
                specs.append(edge(name, change))
                specs[specs.count - 1].scores = scores
            }
        }
        // Empty shapes.
        specs.append(edge("no-batch") { $0.batch = 0 })
        specs.append(edge("no-heads") { ($0.queryHeads, $0.keyValueHeads) = (0, 0) })
        specs.append(edge("no-queries") { $0.queryLength = 0 })
        specs.append(edge("nothing") { ($0.batch, $0.queryLength, $0.keyLength) = (0, 0, 0) })
        specs.append(edge("no-keys-no-queries") { ($0.queryLength, $0.keyLength) = (0, 0) })
        specs.append(edge("no-batch-scores") { ($0.batch, $0.scores) = (0, .probabilities) })
        // The smallest there is, and caches at their start and without new keys.
        specs.append(
            edge("one") { spec in
                (spec.batch, spec.queryHeads, spec.keyValueHeads) = (1, 1, 1)
                (spec.queryLength, spec.keyLength, spec.headDimension, spec.valueDimension) = (1, 1, 1, 1)
            })
        specs.append(edge("empty-past") { ($0.hasEmptyPast, $0.position) = (true, .causal) })
        specs.append(edge("only-past") { ($0.past, $0.position) = ($0.keyLength, .causal) })
        specs.append(edge("one-new-key") { ($0.past, $0.queryLength, $0.position) = (18, 1, .causal) })
        specs.append(edge("one-query") { ($0.queryLength, $0.position) = (1, .causalBottomRight) })
        // One offset moves causal masks, windows and ALiBi alike: by the past, by lengths, from the last key.
        let users: [(String, (inout CaseSpec) -> Void)] = [
            ("causal", { $0.position = $0.position.isBottomRight ? .causalBottomRight : .causal }),
            ("window", { ($0.windowLeft, $0.windowRight) = (2, 1) }),
            ("alibi", { $0.alibi = .standard }),
        ]
        let offsets: [(String, (inout CaseSpec) -> Void)] = [
            ("past", { $0.past = 11 }), ("lengths", { $0.lengths = .mixed }),
            ("last-key", { $0.position = .bottomRight }),
            ("last-key-lengths", { ($0.position, $0.lengths) = (.bottomRight, .mixed) }),
            ("last-key-past", { ($0.position, $0.past) = (.bottomRight, 11) }),
            ("packed", { ($0.batch, $0.queryLength, $0.packing) = (1, 9, .sequences) }),
            (
                "last-key-packed",
                { spec in
                    (spec.batch, spec.queryLength, spec.packing) = (1, 9, .sequences)
                    (spec.position, spec.lengths) = (.bottomRight, .mixed)
                }
            ),
        ]
        for (user, use) in users {
            for (offset, move) in offsets {
                specs.append(edge("\(user)-\(offset)", move))
                use(&specs[specs.count - 1])
            }
        }
        // The scale is any finite number.
        for scale in CaseSpec.Scale.allCases.dropFirst() {
            specs.append(edge("scale") { ($0.scale, $0.scores) = (scale, .softCapped) })
        }
        // Finite numbers exclude nothing, however small; softcap comes before the mask.
        for pattern in [CaseSpec.MaskPattern.minus1e4, .minus65504, .minus8e37] {
            specs.append(edge("finite-minimum") { mask(&$0, .float32, .qk, pattern) })
        }
        specs.append(
            edge("softcap-then-mask") { spec in
                mask(&spec, .float32, .bhqk, .mixed)
                spec.softcap = 2
            })
        specs.append(edge("overflow") { $0.logits = .overflow })
        specs.append(edge("window-huge") { ($0.windowLeft, $0.windowRight) = (Int.max, Int.max) })
        return specs
    }

    /// Poison under every means of exclusion, and shown where it is attended.
    static func poisons(isFull: Bool, _ random: inout SeededGenerator) -> [CaseSpec] {
        var specs: [CaseSpec] = []
        let means: [(String, (inout CaseSpec) -> Void)] = [
            ("bool", { mask(&$0, .bool, .b11k, .mixed) }),
            ("bool-rows", { mask(&$0, .bool, .k, .mixed) }),
            ("infinite", { mask(&$0, .float32, .b11k, .mixed) }),
            ("causal", { ($0.position, $0.queryLength) = (.causal, 13) }),
            (
                "causal-mask",
                { spec in
                    (spec.position, spec.queryLength) = (.causal, 13)
                    mask(&spec, .float32, .bhqk, .mixed)
                }
            ),
            ("window", { ($0.position, $0.windowLeft, $0.windowRight) = (.bottomRight, 3, 2) }),
            ("lengths", { $0.lengths = .mixed }),
            (
                "lengths-mask",
                { spec in
                    spec.lengths = .mixed
                    mask(&spec, .float32, .bhqk, .open)
                }
            ),
            ("packed", { ($0.batch, $0.packing, $0.lengths) = (1, .sequences, .mixed) }),
            ("short-mask", { mask(&$0, .bool, .short, .open) }),
            ("closed", { mask(&$0, .bool, .qk, .closed) }),
            (
                "past",
                { spec in
                    (spec.past, spec.windowLeft, spec.position) = (12, 4, .causal)
                }
            ),
        ]
        let kinds: [CaseSpec.Poison] = [.nan, .plusInfinity, .minusInfinity, .huge]
        for (place, (name, change)) in means.enumerated() {
            for (index, poison) in kinds.enumerated() {
                for size in isFull
                    ? [(5, 37), (1, 21), (35, 130), (64, 64)] : [[(5, 37), (35, 130)][(place + index) % 2]]
                {
                    var spec = edge(name) { ($0.queryLength, $0.keyLength) = size }
                    change(&spec)
                    spec.group = .poison
                    spec.poison = poison
                    if index == 1 { spec.sinks = .finite }
                    specs.append(spec)
                }
            }
        }
        let shown: [CaseSpec.Poison] = [
            .keyNaN, .queryNaN, .valueNaN, .maskNaN, .valuePlusInfinity, .valueMinusInfinity, .maskPlusInfinity,
        ]
        for poison in shown {
            for (size, position) in [((7, 37), CaseSpec.Position.none), ((33, 65), .causal), ((70, 20), .none)] {
                if !isFull && size.0 == 70 { continue }
                var spec = edge("attended") { ($0.queryLength, $0.keyLength) = size }
                mask(&spec, .float32, .bhqk, .mixed)
                (spec.group, spec.poison, spec.position) = (.poison, poison, position)
                specs.append(spec)
            }
        }
        return specs
    }

    /// Scores that are large, close, equal or led by one, each where a tile begins, ends or is masked.
    static func logits(isFull: Bool) -> [CaseSpec] {
        var specs: [CaseSpec] = []
        let sizes = isFull ? [(5, 19), (33, 65), (17, 257), (1, 129), (64, 128)] : [(5, 19), (34, 130)]
        for logits in CaseSpec.Logits.allCases where logits != .normal && logits != .overflow {
            for (index, size) in sizes.enumerated() {
                var spec = edge("") { ($0.queryLength, $0.keyLength) = size }
                (spec.group, spec.logits) = (.logits, logits)
                specs.append(spec)
                if index % 2 == 1 {
                    // A best key with excluded neighbours.
                    mask(&spec, .bool, .qk, .mixed)
                    specs.append(spec)
                    mask(&spec, .float32, .bhqk, .minus1e4)
                } else {
                    (spec.position, spec.sinks) = (.causalBottomRight, .dominating)
                }
                specs.append(spec)
            }
        }
        return specs
    }
}
