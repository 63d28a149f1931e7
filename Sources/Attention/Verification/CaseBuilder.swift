import AttentionCore

/// A case with numbers in it, ready to run. Its operands are in host memory, between bytes that hold NaN.
package struct PreparedCase: Sendable {
    package let spec: CaseSpec
    package let inputs: AttentionInputs
    package let options: AttentionOptions
    package let problem: AttentionProblem
    /// The memory of the operands.
    let arenas: [Arena]
}

/// Makes the numbers of a case from its words and a seed.
struct CaseBuilder {
    let spec: CaseSpec
    var random: SeededGenerator
    private var storages: [(String, HostStorage)] = []

    init(_ spec: CaseSpec, seed: UInt64) {
        self.spec = spec
        random = SeededGenerator(seed: seed, id: spec.id)
    }

    mutating func build() throws(AttentionError) -> PreparedCase {
        var inputs = try makeOperands()
        inputs.mask = AttentionMask()
        inputs.mask.isCausal = spec.position.isCausal
        inputs.mask.alignment = spec.position.isBottomRight ? .bottomRight : .topLeft
        inputs.mask.windowLeft = spec.windowLeft
        inputs.mask.windowRight = spec.windowRight
        inputs.mask.tensor = try makeMask()
        inputs.alibiSlopes = alibiSlopes
        inputs.sinks = makeSinks()
        var capacities = [Int](repeating: spec.keyLength, count: spec.batch)
        if spec.packing != .none {
            let queries = makeOffsets(spec.queryLength, emptyAt: 0)
            let keys = makeOffsets(spec.keyLength, emptyAt: 1)
            (inputs.cumulativeQueryOffsets, inputs.cumulativeKeyOffsets) = (queries, keys)
            capacities = zip(keys.dropFirst(), keys).map { $0 - $1 }
        }
        inputs.keyLengths = makeLengths(capacities)
        var options = AttentionOptions(softcap: spec.softcap, scores: spec.scores, logSumExp: spec.logSumExp)
        options.scale = spec.scale.value
        let problem = try AttentionProblem(inputs, options)
        PoisonPlacer(spec: spec, problem: problem, inputs: inputs).place(using: &random)
        var arenas: [Arena] = []
        for (name, storage) in storages { arenas.append(try Arena(readOnly: name, storage)) }
        return PreparedCase(spec: spec, inputs: inputs, options: options, problem: problem, arenas: arenas)
    }

    // MARK: Operands

    private mutating func makeOperands() throws(AttentionError) -> AttentionInputs {
        let newKeys = spec.keyLength - spec.past
        let numbers = OperandValues(spec, &random)
        let queryShape = [spec.batch, spec.queryHeads, spec.queryLength, spec.headDimension]
        let keyShape = [spec.batch, spec.keyValueHeads, newKeys, spec.headDimension]
        let valueShape = [spec.batch, spec.keyValueHeads, newKeys, spec.valueDimension]
        let query: Tensor
        let key: Tensor
        let value: Tensor
        if spec.layout == .slice {
            let starts = [
                spec.queryHeads * spec.headDimension,
                (spec.queryHeads + spec.keyValueHeads) * spec.headDimension,
            ]
            let columns = starts[1] + spec.keyValueHeads * spec.valueDimension
            let tokens = max(spec.queryLength, newKeys)
            let places = [
                try OperandPlacement(sliceOf: columns, tokens: tokens, first: 0, shape: queryShape),
                try OperandPlacement(sliceOf: columns, tokens: tokens, first: starts[0], shape: keyShape),
                try OperandPlacement(sliceOf: columns, tokens: tokens, first: starts[1], shape: valueShape),
            ]
            let shared = try makeStorage("query, key, value", places[0].capacity, spec.queryType)
            let values =
                spec.valueType == spec.queryType
                ? shared : try makeStorage("value", places[2].capacity, spec.valueType)
            query = try write(numbers.query, places[0], queryShape, shared, spec.queryType)
            key = try write(numbers.key, places[1], keyShape, shared, spec.queryType, skipping: spec.past)
            value = try write(numbers.value, places[2], valueShape, values, spec.valueType, skipping: spec.past)
        } else {
            query = try make("query", numbers.query, .query, queryShape, spec.queryType)
            key = try make("key", numbers.key, .key, keyShape, spec.queryType, skipping: spec.past)
            value = try make("value", numbers.value, .value, valueShape, spec.valueType, skipping: spec.past)
        }
        var inputs = AttentionInputs(query: query, key: key, value: value)
        if spec.past > 0 || spec.hasEmptyPast {
            let lead = [spec.batch, spec.keyValueHeads, spec.past]
            inputs.pastKey = try make("pastKey", numbers.key, .past, lead + [spec.headDimension], spec.queryType)
            inputs.pastValue = try make("pastValue", numbers.value, .past, lead + [spec.valueDimension], spec.valueType)
        }
        if spec.layout == .rank3 {
            inputs.queryHeads = spec.queryHeads
            inputs.keyValueHeads = spec.keyValueHeads
        }
        return inputs
    }

    private mutating func make(
        _ name: String, _ numbers: OperandValues.Rows, _ role: OperandPlacement.Role, _ shape: [Int],
        _ type: ElementType, skipping: Int = 0
    ) throws(AttentionError) -> Tensor {
        let place = try OperandPlacement(spec.layout, role, shape: shape)
        let storage = try makeStorage(name, place.capacity, type)
        return try write(numbers, place, shape, storage, type, skipping: skipping)
    }

    private func write(
        _ numbers: OperandValues.Rows, _ place: OperandPlacement, _ shape: [Int], _ storage: HostStorage,
        _ type: ElementType, skipping: Int = 0
    ) throws(AttentionError) -> Tensor {
        for b in 0..<shape[0] {
            for h in 0..<shape[1] {
                for row in 0..<shape[2] {
                    let start = numbers.start(b, h, row + skipping)
                    for column in 0..<shape[3] {
                        storage.store(numbers.values[start + column], type, at: place.view.index(b, h, row, column))
                    }
                }
            }
        }
        return try Tensor(storage: storage, layout: place.layout, elementType: type)
    }

    mutating func makeStorage(
        _ name: String, _ capacity: Int, _ type: ElementType
    ) throws(AttentionError) -> HostStorage {
        let storage = try HostStorage(byteCount: try Tensor.byteCount(capacity, type, name))
        storage.fillWithNaN()
        storages.append((name, storage))
        return storage
    }
}
