import AttentionCore

/// A call that must be refused, and the operand that the refusal must name.
struct BadCall: Sendable {
    let name: String
    /// What the error names.
    let operand: String
    /// Spoils a good call.
    let spoil: @Sendable (inout AttentionInputs, inout AttentionOptions, inout AttentionOutputs) throws -> Void

    var id: String { "bad:\(operand):\(name)" }

    init(
        _ operand: String, _ name: String,
        _ spoil:
            @escaping @Sendable (inout AttentionInputs, inout AttentionOptions, inout AttentionOutputs) throws -> Void
    ) {
        self.name = name
        self.operand = operand
        self.spoil = spoil
    }

    /// A bad input alone.
    private static func input(
        _ operand: String, _ name: String, _ spoil: @escaping @Sendable (inout AttentionInputs) throws -> Void
    ) -> BadCall {
        BadCall(operand, name) { inputs, _, _ in try spoil(&inputs) }
    }

    private static func option(
        _ operand: String, _ name: String, _ spoil: @escaping @Sendable (inout AttentionOptions) -> Void
    ) -> BadCall {
        BadCall(operand, name) { _, options, _ in spoil(&options) }
    }

    private static func output(
        _ operand: String, _ name: String,
        _ spoil: @escaping @Sendable (inout AttentionOutputs, AttentionInputs) throws -> Void
    ) -> BadCall {
        BadCall(operand, name) { inputs, _, outputs in try spoil(&outputs, inputs) }
    }

    private static func zeros(_ shape: [Int], _ type: ElementType = .float32) throws -> Tensor {
        try Tensor([Double](repeating: 0, count: shape.reduce(1, *)), shape: shape, elementType: type)
    }

    /// Bad calls, each one change away from ``BadCallRunner``'s good one: batch 2, heads 4/2, 3 queries, 5 keys, head dimensions 4 and 6.
    static let all: [BadCall] = tensors + numbers + caches + packed + outputs

    private static let tensors: [BadCall] = [
        input("query", "rank2") { $0.query = try zeros([3, 4]) },
        input("query", "rank5") { $0.query = try zeros([1, 2, 4, 3, 4]) },
        input("query", "int32") { $0.query = try zeros([2, 4, 3, 4], .int32) },
        input("query", "bool") { $0.query = try zeros([2, 4, 3, 4], .bool) },
        input("query", "no-columns") { ($0.query, $0.key) = (try zeros([2, 4, 3, 0]), try zeros([2, 2, 5, 0])) },
        input("query", "heads-option") { $0.queryHeads = 3 },
        input("key", "rank3") { $0.key = try zeros([2, 5, 8]) },
        input("key", "type") { $0.key = try zeros([2, 2, 5, 4], .float16) },
        input("key", "batch") { $0.key = try zeros([1, 2, 5, 4]) },
        input("key", "columns") { $0.key = try zeros([2, 2, 5, 3]) },
        input("key", "heads-indivisible") {
            ($0.key, $0.value) = (try zeros([2, 3, 5, 4]), try zeros([2, 3, 5, 6]))
        },
        input("key", "more-heads-than-queries") {
            ($0.key, $0.value) = (try zeros([2, 8, 5, 4]), try zeros([2, 8, 5, 6]))
        },
        input("key", "no-heads") { ($0.key, $0.value) = (try zeros([2, 0, 5, 4]), try zeros([2, 0, 5, 6])) },
        input("key", "heads-option") { $0.keyValueHeads = 4 },
        input("value", "rank3") { $0.value = try zeros([2, 5, 12]) },
        input("value", "int64") { $0.value = try zeros([2, 2, 5, 6], .int64) },
        input("value", "batch") { $0.value = try zeros([3, 2, 5, 6]) },
        input("value", "heads") { $0.value = try zeros([2, 4, 5, 6]) },
        input("value", "keys") { $0.value = try zeros([2, 2, 4, 6]) },
        input("value", "no-columns") { $0.value = try zeros([2, 2, 5, 0]) },
        input("queryHeads", "none-for-rank3") { inputs in
            (inputs.query, inputs.key) = (try zeros([2, 3, 16]), try zeros([2, 5, 8]))
            inputs.value = try zeros([2, 5, 12])
        },
        input("query", "heads-of-rank3") { inputs in
            (inputs.query, inputs.key) = (try zeros([2, 3, 16]), try zeros([2, 5, 8]))
            (inputs.value, inputs.queryHeads, inputs.keyValueHeads) = (try zeros([2, 5, 12]), 3, 2)
        },
        input("queryHeads", "negative") { $0.queryHeads = -1 },
        input("mask", "int32") { $0.mask.tensor = try zeros([3, 5], .int32) },
        input("mask", "int64") { $0.mask.tensor = try zeros([3, 5], .int64) },
        input("mask", "rank5") { $0.mask.tensor = try zeros([1, 2, 4, 3, 5]) },
        input("mask", "rows") { $0.mask.tensor = try zeros([2, 5]) },
        input("mask", "keys") { $0.mask.tensor = try zeros([3, 6]) },
        input("mask", "heads") { $0.mask.tensor = try zeros([2, 3, 5]) },
        input("mask", "batch") { $0.mask.tensor = try zeros([3, 4, 3, 5]) },
    ]

    private static let numbers: [BadCall] = [
        option("scale", "nan") { $0.scale = .nan },
        option("scale", "infinity") { $0.scale = .infinity },
        option("softcap", "negative") { $0.softcap = -1 },
        option("softcap", "nan") { $0.softcap = .nan },
        option("softcap", "infinity") { $0.softcap = .infinity },
        input("windowLeft", "negative") { $0.mask.windowLeft = -1 },
        input("windowRight", "negative") { $0.mask.windowRight = -7 },
        input("alibiSlopes", "count") { $0.alibiSlopes = [1, 2] },
        input("alibiSlopes", "nan") { $0.alibiSlopes = [1, .nan, 1, 1] },
        input("alibiSlopes", "infinity") { $0.alibiSlopes = [1, 1, 1, .infinity] },
        input("sinks", "count") { $0.sinks = [0, 0, 0, 0, 0] },
        input("sinks", "nan") { $0.sinks = [.nan, 0, 0, 0] },
        input("sinks", "infinity") { $0.sinks = [0, .infinity, 0, 0] },
        input("keyLengths", "count") { $0.keyLengths = [5] },
        input("keyLengths", "negative") { $0.keyLengths = [5, -1] },
        input("keyLengths", "too-long") { $0.keyLengths = [6, 5] },
    ]

    private static let caches: [BadCall] = [
        input("pastValue", "none") { $0.pastKey = try zeros([2, 2, 3, 4]) },
        input("pastKey", "none") { $0.pastValue = try zeros([2, 2, 3, 6]) },
        input("keyLengths", "with-past") { inputs in
            (inputs.pastKey, inputs.pastValue) = (try zeros([2, 2, 3, 4]), try zeros([2, 2, 3, 6]))
            inputs.keyLengths = [5, 5]
        },
        input("pastKey", "rank3") { inputs in
            (inputs.pastKey, inputs.pastValue) = (try zeros([2, 3, 8]), try zeros([2, 2, 3, 6]))
        },
        input("pastKey", "type") { inputs in
            (inputs.pastKey, inputs.pastValue) = (try zeros([2, 2, 3, 4], .float16), try zeros([2, 2, 3, 6]))
        },
        input("pastValue", "type") { inputs in
            (inputs.pastKey, inputs.pastValue) = (try zeros([2, 2, 3, 4]), try zeros([2, 2, 3, 6], .bfloat16))
        },
        input("pastKey", "columns") { inputs in
            (inputs.pastKey, inputs.pastValue) = (try zeros([2, 2, 3, 5]), try zeros([2, 2, 3, 6]))
        },
        input("pastValue", "columns") { inputs in
            (inputs.pastKey, inputs.pastValue) = (try zeros([2, 2, 3, 4]), try zeros([2, 2, 3, 4]))
        },
        input("pastKey", "batch") { inputs in
            (inputs.pastKey, inputs.pastValue) = (try zeros([1, 2, 3, 4]), try zeros([2, 2, 3, 6]))
        },
        input("pastValue", "length") { inputs in
            (inputs.pastKey, inputs.pastValue) = (try zeros([2, 2, 3, 4]), try zeros([2, 2, 2, 6]))
        },
    ]

    private static let packed: [BadCall] = [
        input("cumulativeKeyOffsets", "none") { try pack(&$0, [0, 3], nil) },
        input("cumulativeQueryOffsets", "none") { try pack(&$0, nil, [0, 5]) },
        input("cumulativeQueryOffsets", "start") { try pack(&$0, [1, 3], [0, 5]) },
        input("cumulativeQueryOffsets", "end") { try pack(&$0, [0, 2], [0, 5]) },
        input("cumulativeQueryOffsets", "descending") { try pack(&$0, [0, 3, 2, 3], [0, 1, 2, 5]) },
        input("cumulativeQueryOffsets", "empty") { try pack(&$0, [], [0, 5]) },
        input("cumulativeKeyOffsets", "end") { try pack(&$0, [0, 3], [0, 6]) },
        input("cumulativeKeyOffsets", "descending") { try pack(&$0, [0, 1, 2, 3], [0, 4, 2, 5]) },
        input("cumulativeKeyOffsets", "count") { try pack(&$0, [0, 3], [0, 2, 5]) },
        input("query", "packed-batch") { ($0.cumulativeQueryOffsets, $0.cumulativeKeyOffsets) = ([0, 3], [0, 5]) },
        input("keyLengths", "packed-count") { inputs in
            try pack(&inputs, [0, 1, 3], [0, 2, 5])
            inputs.keyLengths = [2]
        },
        input("keyLengths", "packed-too-long") { inputs in
            try pack(&inputs, [0, 1, 3], [0, 2, 5])
            inputs.keyLengths = [3, 3]
        },
        input("pastKey", "packed") { inputs in
            try pack(&inputs, [0, 3], [0, 5])
            (inputs.pastKey, inputs.pastValue) = (try zeros([1, 2, 3, 4]), try zeros([1, 2, 3, 6]))
        },
    ]

    private static func pack(_ inputs: inout AttentionInputs, _ queries: [Int]?, _ keys: [Int]?) throws {
        (inputs.query, inputs.key) = (try zeros([1, 4, 3, 4]), try zeros([1, 2, 5, 4]))
        inputs.value = try zeros([1, 2, 5, 6])
        (inputs.cumulativeQueryOffsets, inputs.cumulativeKeyOffsets) = (queries, keys)
    }

    private static let outputs: [BadCall] = [
        output("output", "shape") { outputs, _ in outputs.output = try zeros([2, 4, 3, 4]) },
        output("output", "type") { outputs, _ in outputs.output = try zeros([2, 4, 3, 6], .float16) },
        output("output", "overlaps-itself") { outputs, _ in
            outputs.output = try zeros([144]).viewed(shape: [2, 4, 3, 6], strides: [0, 18, 6, 1])
        },
        BadCall("output", "is-the-query") { inputs, _, outputs in
            let shared = try zeros([144])
            inputs.query = try shared.viewed(shape: [2, 4, 3, 4], strides: [48, 12, 4, 1])
            outputs.output = try shared.viewed(shape: [2, 4, 3, 6], strides: [72, 18, 6, 1])
        },
        output("logSumExp", "not-asked-for") { outputs, _ in outputs.logSumExp = try zeros([2, 4, 3]) },
        BadCall("logSumExp", "missing") { _, options, _ in options.logSumExp = true },
        BadCall("logSumExp", "shape") { _, options, outputs in
            options.logSumExp = true
            outputs.logSumExp = try zeros([2, 4, 3, 1])
        },
        BadCall("logSumExp", "type") { _, options, outputs in
            options.logSumExp = true
            outputs.logSumExp = try zeros([2, 4, 3], .float16)
        },
        BadCall("scores", "missing") { _, options, _ in options.scores = .masked },
        BadCall("scores", "shape") { _, options, outputs in
            (options.scores, outputs.scores) = (.masked, try zeros([2, 4, 5, 3]))
        },
        output("presentKey", "not-asked-for") { outputs, _ in outputs.presentKey = try zeros([2, 2, 5, 4]) },
    ]
}
