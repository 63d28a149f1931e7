@testable import AttentionCore

extension BadCallTests {
    static let operands: [Row] = [
        Row("query of rank 2", "query", .rank) { $0.inputs.query = try zeros([3, 8]) },
        Row("query of rank 5", "query", .rank) { $0.inputs.query = try zeros([1, 2, 4, 3, 8]) },
        Row("query of rank 0", "query", .rank) { $0.inputs.query = try zeros([]) },
        Row("key of rank 3", "key", .rank) { $0.inputs.key = try zeros([2, 5, 16]) },
        Row("value of rank 3", "value", .rank) { $0.inputs.value = try zeros([2, 5, 12]) },
        Row("query of i32", "query", .elementType) { $0.inputs.query = try zeros([2, 4, 3, 8], .int32) },
        Row("query of bool", "query", .elementType) { $0.inputs.query = try zeros([2, 4, 3, 8], .bool) },
        Row("key of another type", "key", .elementType) { $0.inputs.key = try zeros([2, 2, 5, 8], .float16) },
        Row("value of i64", "value", .elementType) { $0.inputs.value = try zeros([2, 2, 5, 6], .int64) },
        Row("value of bool", "value", .elementType) { $0.inputs.value = try zeros([2, 2, 5, 6], .bool) },
        Row("key of another batch", "key", .shape) { $0.inputs.key = try zeros([3, 2, 5, 8]) },
        Row("value of another batch", "value", .shape) { $0.inputs.value = try zeros([1, 2, 5, 6]) },
        Row("key of another depth", "key", .shape) { $0.inputs.key = try zeros([2, 2, 5, 7]) },
        Row("value of other heads", "value", .shape) { $0.inputs.value = try zeros([2, 4, 5, 6]) },
        Row("value of another length", "value", .shape) { $0.inputs.value = try zeros([2, 2, 4, 6]) },
        Row("heads that do not divide", "key", .shape) {
            ($0.inputs.key, $0.inputs.value) = (try zeros([2, 3, 5, 8]), try zeros([2, 3, 5, 6]))
        },
        Row("more key heads than query heads", "key", .shape) {
            ($0.inputs.key, $0.inputs.value) = (try zeros([2, 8, 5, 8]), try zeros([2, 8, 5, 6]))
        },
        Row("no key heads", "key", .shape) {
            ($0.inputs.key, $0.inputs.value) = (try zeros([2, 0, 5, 8]), try zeros([2, 0, 5, 6]))
        },
        Row("depth 0", "query", .shape) {
            ($0.inputs.query, $0.inputs.key) = (try zeros([2, 4, 3, 0]), try zeros([2, 2, 5, 0]))
        },
        Row("value depth 0", "value", .shape) { $0.inputs.value = try zeros([2, 2, 5, 0]) },
        Row("rank 4 with other query heads", "query", .shape) { $0.inputs.queryHeads = 3 },
        Row("rank 4 with other key heads", "key", .shape) { $0.inputs.keyValueHeads = 4 },
        Row("negative query heads", "queryHeads", .value) { $0.inputs.queryHeads = -1 },
        Row("negative key heads", "keyValueHeads", .value) { $0.inputs.keyValueHeads = -2 },
        Row("rank 3 without query heads", "queryHeads", .value) {
            try rank3(&$0)
            $0.inputs.queryHeads = nil
        },
        Row("rank 3 without key heads", "keyValueHeads", .value) {
            try rank3(&$0)
            $0.inputs.keyValueHeads = nil
        },
        Row("rank 3 with 0 heads", "query", .shape) {
            try rank3(&$0)
            $0.inputs.queryHeads = 0
        },
        Row("rank 3 with heads that do not divide", "query", .shape) {
            try rank3(&$0)
            $0.inputs.queryHeads = 5
        },
        Row("rank 3, value heads that do not divide", "value", .shape) {
            try rank3(&$0)
            $0.inputs.value = try zeros([2, 5, 13])
        },
        Row("output beyond 64 bits", "output", .overflow) {
            let size = 1 << 16
            $0.inputs.query = try vast([1, size, size, 1])
            $0.inputs.key = try vast([1, 1, 1, 1])
            $0.inputs.value = try vast([1, 1, 1, 1 << 30])
        },
        Row("scores beyond 64 bits", "scores", .overflow) {
            $0.inputs.query = try vast([1, 1, 1 << 31, 1])
            ($0.inputs.key, $0.inputs.value) = (try vast([1, 1, 1 << 31, 1]), try vast([1, 1, 1 << 31, 1]))
        },
        Row("past and new keys beyond 64 bits", "pastKey", .overflow) {
            let many = Int.max / 2 + 1
            $0.inputs.query = try vast([1, 1, 1, 1])
            ($0.inputs.key, $0.inputs.value) = (try vast([1, 1, many, 1]), try vast([1, 1, many, 1]))
            ($0.inputs.pastKey, $0.inputs.pastValue) = ($0.inputs.key, $0.inputs.value)
        },
        Row("an empty batch with heads beyond 64 bits", "output", .overflow) {
            let heads = 1 << 40
            $0.inputs.query = try zeros([0, 1, 1]).viewed(shape: [0, 1, heads], strides: [1, 1, 1])
            $0.inputs.key = try zeros([0, 1, 1])
            $0.inputs.value = try zeros([0, 1, 1]).viewed(shape: [0, 1, heads], strides: [1, 1, 1])
            ($0.inputs.queryHeads, $0.inputs.keyValueHeads) = (heads, 1)
        },
    ]

    static let masks: [Row] = [
        Row("mask of i32", "mask", .elementType) { $0.inputs.mask.tensor = try zeros([3, 5], .int32) },
        Row("mask of i64", "mask", .elementType) { $0.inputs.mask.tensor = try zeros([3, 5], .int64) },
        Row("mask of rank 5", "mask", .rank) { $0.inputs.mask.tensor = try zeros([1, 1, 1, 3, 5]) },
        Row("mask of more keys", "mask", .shape) { $0.inputs.mask.tensor = try zeros([3, 6]) },
        Row("mask of other rows", "mask", .shape) { $0.inputs.mask.tensor = try zeros([2, 5]) },
        Row("mask of other heads", "mask", .shape) { $0.inputs.mask.tensor = try zeros([2, 3, 5]) },
        Row("mask of another batch", "mask", .shape) { $0.inputs.mask.tensor = try zeros([3, 4, 3, 5]) },
        Row("mask without rows", "mask", .shape) { $0.inputs.mask.tensor = try zeros([0, 5]) },
        Row("negative window left", "windowLeft", .value) { $0.inputs.mask.windowLeft = -1 },
        Row("negative window right", "windowRight", .value) { $0.inputs.mask.windowRight = -5 },
        Row("smallest window", "windowLeft", .value) { $0.inputs.mask.windowLeft = .min },
    ]

    static let numbers: [Row] = [
        Row("scale NaN", "scale", .value) { $0.options.scale = .nan },
        Row("scale +∞", "scale", .value) { $0.options.scale = .infinity },
        Row("scale −∞", "scale", .value) { $0.options.scale = -.infinity },
        Row("softcap negative", "softcap", .value) { $0.options.softcap = -1 },
        Row("softcap NaN", "softcap", .value) { $0.options.softcap = .nan },
        Row("softcap ∞", "softcap", .value) { $0.options.softcap = .infinity },
        Row("slopes of other heads", "alibiSlopes", .count) { $0.inputs.alibiSlopes = [1, 2] },
        Row("no slopes", "alibiSlopes", .count) { $0.inputs.alibiSlopes = [] },
        Row("slope NaN", "alibiSlopes", .value) { $0.inputs.alibiSlopes = [1, .nan, 1, 1] },
        Row("slope ∞", "alibiSlopes", .value) { $0.inputs.alibiSlopes = [1, 1, 1, -.infinity] },
        Row("sinks of other heads", "sinks", .count) { $0.inputs.sinks = [1, 2, 3, 4, 5] },
        Row("sink NaN", "sinks", .value) { $0.inputs.sinks = [.nan, 1, 1, 1] },
        Row("sink +∞", "sinks", .value) { $0.inputs.sinks = [1, 1, 1, .infinity] },
        Row("negative length", "keyLengths", .bounds) { $0.inputs.keyLengths = [5, -1] },
        Row("length beyond the keys", "keyLengths", .bounds) { $0.inputs.keyLengths = [6, 1] },
        Row("too few lengths", "keyLengths", .count) { $0.inputs.keyLengths = [5] },
        Row("too many lengths", "keyLengths", .count) { $0.inputs.keyLengths = [5, 5, 5] },
        Row("no lengths", "keyLengths", .count) { $0.inputs.keyLengths = [] },
    ]

    static let cache: [Row] = [
        Row("past key alone", "pastValue", .combination) { $0.inputs.pastKey = try zeros([2, 2, 7, 8]) },
        Row("past value alone", "pastKey", .combination) { $0.inputs.pastValue = try zeros([2, 2, 7, 6]) },
        Row("blocks without lengths", "keyLengths", .combination) {
            try blocks(&$0, [[0], [1]], rows: 4, lengths: nil)
        },
        Row("blocks of three rows", "key", .shape) { try blocks(&$0, [[0], [1]], rows: 3) },
        Row("blocks of no rows", "key", .shape) { try blocks(&$0, [[0], [1]], rows: 0) },
        Row("a block beyond the pool", "blockTable", .bounds) { try blocks(&$0, [[0], [5]], rows: 4) },
        Row("a negative block", "blockTable", .bounds) { try blocks(&$0, [[0], [-1]], rows: 4) },
        Row("blocks of too few entries", "blockTable", .count) { try blocks(&$0, [[0]], rows: 4) },
        Row("a length beyond its blocks", "keyLengths", .bounds) { try blocks(&$0, [[0, 1], []], rows: 4) },
        Row("too many blocks", "blockTable", .overflow) {
            try blocks(&$0, [[0], [1]], rows: 4)
            $0.inputs.blockTable = BlockTable([[0], [1]], columns: Int.max)
        },
        Row("pools of different sizes", "value", .shape) {
            try blocks(&$0, [[0], [1]], rows: 4)
            $0.inputs.value = try zeros([4, 2, 4, 6])
        },
        Row("blocks with packed sequences", "blockTable", .combination) {
            try blocks(&$0, [[0], [1]], rows: 4)
            $0.inputs.cumulativeQueryOffsets = [0, 3]
        },
        Row("blocks with past keys", "blockTable", .combination) {
            try past(&$0)
            try blocks(&$0, [[0], [1]], rows: 4)
        },
        Row("past with lengths", "keyLengths", .combination) {
            try past(&$0)
            $0.inputs.keyLengths = [5, 5]
        },
        Row("past key of another type", "pastKey", .elementType) {
            try past(&$0)
            $0.inputs.pastKey = try zeros([2, 2, 7, 8], .float16)
        },
        Row("past value of another type", "pastValue", .elementType) {
            try past(&$0)
            $0.inputs.pastValue = try zeros([2, 2, 7, 6], .bfloat16)
        },
        Row("past key of rank 3", "pastKey", .rank) {
            try past(&$0)
            $0.inputs.pastKey = try zeros([2, 7, 16])
        },
        Row("past value of rank 3", "pastValue", .rank) {
            try past(&$0)
            $0.inputs.pastValue = try zeros([2, 7, 12])
        },
        Row("past key of another batch", "pastKey", .shape) {
            try past(&$0)
            $0.inputs.pastKey = try zeros([1, 2, 7, 8])
        },
        Row("past key of other heads", "pastKey", .shape) {
            try past(&$0)
            $0.inputs.pastKey = try zeros([2, 4, 7, 8])
        },
        Row("past key of another depth", "pastKey", .shape) {
            try past(&$0)
            $0.inputs.pastKey = try zeros([2, 2, 7, 6])
        },
        Row("past value of another depth", "pastValue", .shape) {
            try past(&$0)
            $0.inputs.pastValue = try zeros([2, 2, 7, 8])
        },
        Row("past value of another length", "pastValue", .shape) {
            try past(&$0)
            $0.inputs.pastValue = try zeros([2, 2, 6, 6])
        },
    ]

    private static func pack(
        _ name: String, _ operand: String, _ kind: InvalidOperand.Kind, _ queries: [Int]?, _ keys: [Int]?
    ) -> Row {
        Row(name, operand, kind) {
            try packed(&$0)
            ($0.inputs.cumulativeQueryOffsets, $0.inputs.cumulativeKeyOffsets) = (queries, keys)
        }
    }

    static let packs: [Row] = [
        pack("query offsets alone", "cumulativeKeyOffsets", .combination, [0, 6], nil),
        pack("key offsets alone", "cumulativeQueryOffsets", .combination, nil, [0, 9]),
        pack("query offsets not from 0", "cumulativeQueryOffsets", .value, [1, 6], [0, 9]),
        pack("key offsets not from 0", "cumulativeKeyOffsets", .value, [0, 6], [2, 9]),
        pack("query offsets that end early", "cumulativeQueryOffsets", .value, [0, 2, 5], [0, 5, 9]),
        pack("key offsets that end late", "cumulativeKeyOffsets", .value, [0, 2, 6], [0, 5, 10]),
        pack("query offsets that descend", "cumulativeQueryOffsets", .value, [0, 4, 2, 6], [0, 1, 2, 9]),
        pack("key offsets that descend", "cumulativeKeyOffsets", .value, [0, 2, 6, 6], [0, 8, 7, 9]),
        pack("negative offset", "cumulativeQueryOffsets", .value, [0, -2, 6], [0, 5, 9]),
        pack("no offsets at all", "cumulativeQueryOffsets", .value, [], []),
        pack("offsets of other counts", "cumulativeKeyOffsets", .count, [0, 2, 6], [0, 9]),
        Row("packed with a batch", "query", .shape) {
            $0.inputs.cumulativeQueryOffsets = [0, 3]
            $0.inputs.cumulativeKeyOffsets = [0, 5]
        },
        Row("packed with past", "pastKey", .combination) {
            try past(&$0)
            $0.inputs.cumulativeQueryOffsets = [0, 3]
            $0.inputs.cumulativeKeyOffsets = [0, 5]
        },
        Row("a length for each batch entry, not sequence", "keyLengths", .count) {
            try packed(&$0)
            $0.inputs.keyLengths = [9]
        },
        Row("a length beyond its own sequence", "keyLengths", .bounds) {
            try packed(&$0)
            $0.inputs.keyLengths = [5, 5]
        },
    ]
}
