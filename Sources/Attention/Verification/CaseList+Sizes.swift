import AttentionCore

extension CaseList {
    private static let lengths = [
        1, 2, 3, 5, 7, 8, 9, 15, 16, 17, 23, 24, 25, 31, 32, 33, 47, 48, 49, 63, 64, 65, 95, 96, 97, 127, 128, 129, 191,
        257,
    ]
    private static let dimensions = [
        1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 31, 32, 33, 35, 63, 64, 65, 72, 80, 96, 127, 128, 129, 192, 256,
    ]

    /// Each length and head dimension once with others at random; a full run takes lengths around all pairs of tiles as well.
    static func sizes(isFull: Bool, _ random: inout SeededGenerator) -> [CaseSpec] {
        var specs: [CaseSpec] = []
        func add(_ change: (inout CaseSpec) -> Void) {
            var spec = CaseSpec()
            spec.group = .size
            (spec.queryHeads, spec.keyValueHeads) = random.pick([(1, 1), (2, 1), (3, 3), (6, 2)])
            spec.batch = random.pick([1, 2])
            spec.queryLength = random.pick([3, 17, 33, 50])
            spec.keyLength = random.pick([5, 19, 40, 66])
            spec.headDimension = random.pick([8, 20, 33, 64])
            spec.valueDimension = random.pick([spec.headDimension, 8, 17, 48])
            spec.queryType = floatTypes[specs.count % 3]
            spec.valueType = random.pick(floatTypes)
            spec.position = random.pick([.none, .none, .causal, .causalBottomRight])
            spec.layout = random.pick([.bhld, .blhd])
            spec.logSumExp = random.below(2) == 0
            change(&spec)
            specs.append(spec)
        }
        for _ in 0..<(isFull ? 3 : 1) {
            for length in lengths { add { $0.queryLength = length } }
            for length in lengths { add { $0.keyLength = length } }
            for dimension in dimensions { add { $0.headDimension = dimension } }
            for dimension in dimensions { add { $0.valueDimension = dimension } }
        }
        guard isFull else { return specs }
        let edges = [8, 16, 32, 64, 128].flatMap { [$0 - 1, $0, $0 + 1] }
        for queries in edges { for keys in edges { add { ($0.queryLength, $0.keyLength) = (queries, keys) } } }
        for head in edges { for value in edges { add { ($0.headDimension, $0.valueDimension) = (head, value) } } }
        return specs
    }

    /// A few large ones: long keys, wide heads, sizes that are no multiple of anything.
    static func large(isFull: Bool) -> [CaseSpec] {
        var shapes: [(b: Int, h: Int, kv: Int, q: Int, k: Int, d: Int, v: Int)] = [
            (1, 2, 1, 1, 4096, 64, 64), (1, 1, 1, 3, 5, 512, 512), (1, 1, 1, 2, 9, 1000, 7),
            (1, 2, 2, 130, 509, 72, 72),
            (1, 1, 1, 5, 33, 1024, 1024),
        ]
        if isFull {
            shapes += [
                (1, 2, 2, 1000, 1003, 72, 72), (1, 1, 1, 33, 4096, 64, 64), (2, 8, 1, 1, 4099, 128, 128),
                (1, 1, 1, 65, 129, 1024, 1000), (1, 1, 1, 64, 64, 512, 512), (1, 4, 2, 257, 1031, 64, 80),
                (3, 12, 12, 128, 128, 32, 32), (1, 1, 1, 2048, 300, 40, 40),
            ]
        }
        return shapes.enumerated().flatMap { index, shape in
            (isFull ? floatTypes : [floatTypes[index % 3]]).flatMap { type in
                var spec = CaseSpec()
                spec.group = .large
                (spec.batch, spec.queryHeads, spec.keyValueHeads) = (shape.b, shape.h, shape.kv)
                (spec.queryLength, spec.keyLength) = (shape.q, shape.k)
                (spec.headDimension, spec.valueDimension) = (shape.d, shape.v)
                (spec.queryType, spec.valueType) = (type, type)
                spec.logSumExp = true
                spec.layout = index % 2 == 0 ? .bhld : .blhd
                var causal = spec
                causal.position = .causalBottomRight
                causal.windowLeft = shape.k / 3
                causal.probe = .again
                return [spec, causal]
            }
        }
    }
}
