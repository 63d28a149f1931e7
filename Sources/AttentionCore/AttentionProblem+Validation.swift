extension AttentionProblem {
    /// Checks a call and brings it to one form.
    ///
    /// - Throws: ``AttentionError/invalid(_:)`` that names the first operand or option that cannot be right.
    public init(_ inputs: AttentionInputs, _ options: AttentionOptions = .init()) throws(AttentionError) {
        let query = inputs.query
        let rank = query.rank
        guard rank == 4 || rank == 3 else {
            throw .invalid("query", .rank, expected: "rank 4 or 3", found: "shape \(query.shape)")
        }
        for (name, tensor) in [("key", inputs.key), ("value", inputs.value)] where tensor.rank != rank {
            throw .invalid(name, .rank, expected: "rank \(rank) as the query", found: "shape \(tensor.shape)")
        }
        try Self.checkTypes(inputs)

        let q = try Self.dimensions("query", query, heads: inputs.queryHeads, option: "queryHeads")
        var k = try Self.dimensions("key", inputs.key, heads: inputs.keyValueHeads, option: "keyValueHeads")
        var v = try Self.dimensions("value", inputs.value, heads: inputs.keyValueHeads, option: "keyValueHeads")
        blockSize = inputs.blockTable == nil ? 0 : k.rows
        let capacities = try Self.layOut(&k, &v, batch: q.batch, inputs)
        try Self.expect("key", "batch", q.batch, k.batch, inputs.key)
        try Self.expect("key", "headDimension", q.columns, k.columns, inputs.key)
        try Self.expect("value", "batch", q.batch, v.batch, inputs.value)
        try Self.expect("value", "keyValueHeads", k.heads, v.heads, inputs.value)
        try Self.expect("value", "keyLength", k.rows, v.rows, inputs.value)
        for (name, columns, tensor) in [("query", q.columns, query), ("value", v.columns, inputs.value)]
        where columns < 1 {
            throw .invalid(name, .shape, expected: "a head dimension of 1 or more", found: "shape \(tensor.shape)")
        }
        guard k.heads == 0 ? q.heads == 0 : q.heads.isMultiple(of: k.heads) else {
            throw .invalid(
                "key", .shape, expected: "a number of heads that divides the query's \(q.heads)", found: "\(k.heads)")
        }

        let past = try Self.pastLength(inputs, q, k, v)
        let (keys, overflow) = past.addingReportingOverflow(k.rows)
        guard !overflow else {
            throw .invalid("pastKey", .overflow, expected: "a key length within 64 bits", found: "\(past) + \(k.rows)")
        }
        shape = AttentionShape(
            batch: q.batch, queryHeads: q.heads, keyValueHeads: k.heads, queryLength: q.rows, keyLength: keys,
            headDimension: q.columns, valueDimension: v.columns)
        pastLength = past
        hasPast = inputs.pastKey != nil
        queryType = query.elementType
        valueType = inputs.value.elementType
        self.query = HeadView(query.layout, columns: q.columns)
        key = HeadView(inputs.key.layout, columns: q.columns)
        value = HeadView(inputs.value.layout, columns: v.columns)
        (mask, maskKeys) = try Self.broadcast(inputs.mask.tensor, shape)
        maskType = inputs.mask.tensor?.elementType

        scale = try Self.scale(options, q.columns)
        softcap = try Self.softcap(options)
        isCausal = inputs.mask.isCausal
        windowLeft = try Self.window("windowLeft", inputs.mask.windowLeft)
        windowRight = try Self.window("windowRight", inputs.mask.windowRight)
        alibiSlopes = try Self.perHead("alibiSlopes", inputs.alibiSlopes, q.heads, "a finite number") { $0.isFinite }
        sinks = try Self.perHead("sinks", inputs.sinks, q.heads, "a number below +∞") { $0 < .infinity }
        isPacked = inputs.cumulativeQueryOffsets != nil || inputs.cumulativeKeyOffsets != nil
        segments = try Self.segments(inputs, shape, capacities: capacities, past: past, packed: isPacked)
        scores = options.scores
        wantsLogSumExp = options.logSumExp
        try checkSizes()
    }

    /// The same call with another mask tensor in place of its own, which differs in type and layout at most.
    public func replacingMask(_ tensor: Tensor) throws(AttentionError) -> AttentionProblem {
        var copy = self
        (copy.mask, copy.maskKeys) = try Self.broadcast(tensor, shape)
        copy.maskType = tensor.elementType
        return copy
    }

    /// The same call with all its keys and values, each batch entry's in one piece, in place of blocks or of past and new ones.
    func replacingKeys(_ key: Tensor, _ value: Tensor) -> AttentionProblem {
        var copy = self
        copy.blockSize = 0
        (copy.pastLength, copy.hasPast) = (0, false)
        copy.key = HeadView(key.layout, columns: shape.headDimension)
        copy.value = HeadView(value.layout, columns: shape.valueDimension)
        return copy
    }

    /// Keys that each batch entry has room for. Pools of blocks are brought to the dimensions of what they hold.
    private static func layOut(
        _ k: inout Dimensions, _ v: inout Dimensions, batch: Int, _ inputs: AttentionInputs
    ) throws(AttentionError) -> [Int]? {
        guard let table = inputs.blockTable else { return nil }
        try expect("value", "blocks", k.batch, v.batch, inputs.value)
        try expect("value", "rows of a block", k.rows, v.rows, inputs.value)
        let (capacities, longest) = try table.checked(batch: batch, blocks: k.batch, blockSize: k.rows, inputs)
        (k.batch, k.rows, v.batch, v.rows) = (batch, longest, batch, longest)
        return capacities
    }

    private static func checkTypes(_ inputs: AttentionInputs) throws(AttentionError) {
        let query = inputs.query.elementType
        guard query.isFloatingPoint else {
            throw .invalid("query", .elementType, expected: "f32, f16, bf16 or f64", found: "\(query)")
        }
        for (name, tensor) in [("key", inputs.key), ("pastKey", inputs.pastKey)] {
            guard let type = tensor?.elementType, type != query else { continue }
            throw .invalid(name, .elementType, expected: "\(query) as the query", found: "\(type)")
        }
        guard inputs.value.elementType.isFloatingPoint else {
            throw .invalid("value", .elementType, expected: "a float type", found: "\(inputs.value.elementType)")
        }
        if let past = inputs.pastValue?.elementType, past != inputs.value.elementType {
            throw .invalid(
                "pastValue", .elementType, expected: "\(inputs.value.elementType) as the value", found: "\(past)")
        }
        if let mask = inputs.mask.tensor?.elementType, mask != .bool, !mask.isFloatingPoint {
            throw .invalid("mask", .elementType, expected: "bool or a float type", found: "\(mask)")
        }
    }

    private typealias Dimensions = (batch: Int, heads: Int, rows: Int, columns: Int)

    private static func dimensions(
        _ name: String, _ tensor: Tensor, heads: Int?, option: String
    ) throws(AttentionError) -> Dimensions {
        let shape = tensor.shape
        if let heads, heads < 0 { throw .invalid(option, .value, expected: "0 or more", found: "\(heads)") }
        if tensor.rank == 4 {
            if let heads, heads != shape[1] {
                throw .invalid(name, .shape, expected: "\(heads) heads as \(option) says", found: "shape \(shape)")
            }
            return (shape[0], shape[1], shape[2], shape[3])
        }
        guard let heads else {
            throw .invalid(option, .value, expected: "a number of heads for operands of rank 3", found: "none")
        }
        guard heads > 0, shape[2].isMultiple(of: heads) else {
            throw .invalid(
                name, .shape, expected: "a last dimension that \(option) = \(heads) divides", found: "shape \(shape)")
        }
        return (shape[0], heads, shape[1], shape[2] / heads)
    }

    private static func expect(
        _ name: String, _ what: String, _ expected: Int, _ found: Int, _ tensor: Tensor
    ) throws(AttentionError) {
        guard expected == found else {
            throw .invalid(name, .shape, expected: "\(what) \(expected)", found: "\(found) in shape \(tensor.shape)")
        }
    }

    private static func pastLength(
        _ inputs: AttentionInputs, _ q: Dimensions, _ k: Dimensions, _ v: Dimensions
    ) throws(AttentionError) -> Int {
        switch (inputs.pastKey, inputs.pastValue) {
        case (nil, nil): return 0
        case (_?, nil): throw .invalid("pastValue", .combination, expected: "one, as there is a pastKey", found: "none")
        case (nil, _?): throw .invalid("pastKey", .combination, expected: "one, as there is a pastValue", found: "none")
        case (let key?, let value?):
            if inputs.keyLengths != nil {
                throw .invalid("keyLengths", .combination, expected: "none together with past keys", found: "some")
            }
            if inputs.cumulativeQueryOffsets != nil || inputs.cumulativeKeyOffsets != nil {
                throw .invalid("pastKey", .combination, expected: "none together with packed sequences", found: "one")
            }
            for (name, past, columns) in [("pastKey", key, q.columns), ("pastValue", value, v.columns)] {
                guard past.rank == 4 else {
                    throw .invalid(name, .rank, expected: "rank 4", found: "shape \(past.shape)")
                }
                try expect(name, "batch", q.batch, past.shape[0], past)
                try expect(name, "keyValueHeads", k.heads, past.shape[1], past)
                try expect(name, name == "pastKey" ? "headDimension" : "valueDimension", columns, past.shape[3], past)
            }
            try expect("pastValue", "pastLength", key.shape[2], value.shape[2], value)
            return key.shape[2]
        }
    }

    private static func broadcast(
        _ tensor: Tensor?, _ shape: AttentionShape
    ) throws(AttentionError) -> (HeadView?, Int) {
        guard let tensor else { return (nil, shape.keyLength) }
        let target = shape.scoreShape
        guard tensor.rank <= 4 else {
            throw .invalid("mask", .rank, expected: "rank 4 or less", found: "shape \(tensor.shape)")
        }
        var strides = [0, 0, 0, 0]
        for axis in 0..<tensor.rank {
            let place = 4 - tensor.rank + axis
            let size = tensor.shape[axis]
            let fits = place == 3 ? size <= target[3] : size == target[place] || size == 1
            guard fits else {
                throw .invalid(
                    "mask", .shape, expected: "one that broadcasts to \(target)", found: "shape \(tensor.shape)")
            }
            strides[place] = size == 1 ? 0 : tensor.strides[axis]
        }
        let view = HeadView(
            offset: tensor.layout.offset, batch: strides[0], head: strides[1], row: strides[2], column: strides[3])
        return (view, tensor.shape.last ?? shape.keyLength)
    }

    private static func scale(_ options: AttentionOptions, _ columns: Int) throws(AttentionError) -> Double {
        guard let scale = options.scale else { return 1 / Double(columns).squareRoot() }
        guard scale.isFinite else { throw .invalid("scale", .value, expected: "a finite number", found: "\(scale)") }
        return scale
    }

    private static func softcap(_ options: AttentionOptions) throws(AttentionError) -> Double {
        let softcap = options.softcap ?? 0
        guard softcap >= 0, softcap.isFinite else {
            throw .invalid("softcap", .value, expected: "a finite number of 0 or more", found: "\(softcap)")
        }
        return softcap
    }

    private static func window(_ name: String, _ bound: Int?) throws(AttentionError) -> Int? {
        if let bound, bound < 0 { throw .invalid(name, .value, expected: "0 or more, or none", found: "\(bound)") }
        return bound
    }

    private static func perHead(
        _ name: String, _ values: [Double]?, _ heads: Int, _ expected: String, _ isValid: (Double) -> Bool
    ) throws(AttentionError) -> [Double] {
        guard let values else { return [] }
        guard values.count == heads else {
            throw .invalid(name, .count, expected: "one for each of \(heads) query heads", found: "\(values.count)")
        }
        if let bad = values.first(where: { !isValid($0) }) {
            throw .invalid(name, .value, expected: expected, found: "\(bad)")
        }
        return values
    }

    /// Products that a backend forms later: none may pass 64 bits.
    private func checkSizes() throws(AttentionError) {
        // The last dimension of an output of rank 3, also where another is 0.
        _ = try TensorLayout.product([shape.queryHeads, shape.valueDimension], operand: "output")
        for (name, sizes, bytes) in [
            ("output", shape.outputShape, 8), ("scores", shape.scoreShape, 8),
            ("key", [shape.batch, shape.keyValueHeads, shape.keyLength, shape.headDimension], 8),
            ("value", [shape.batch, shape.keyValueHeads, shape.keyLength, shape.valueDimension], 8),
        ] { _ = try TensorLayout.product(sizes + [bytes], operand: name) }
    }
}
