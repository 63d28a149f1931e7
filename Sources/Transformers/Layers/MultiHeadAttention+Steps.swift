import Attention

/// Keys and values after their projection, `[batch, keys, keyValueWidth]` each, and which of them count.
struct ProjectedKeys: Sendable {
    var key: Tensor
    var value: Tensor
    var selection: KeySelection
}

extension MultiHeadAttention {
    /// A whole call.
    func result(
        _ query: Tensor, _ key: Tensor?, _ value: Tensor?, _ mask: MultiHeadMask, _ weights: Weights?,
        _ pass: ForwardPass
    ) throws(AttentionError) -> (output: Tensor, weights: Tensor?) {
        let input = try batched(query, "query", width: configuration.modelDimension)
        let keyInput = try key.map { (tensor) throws(AttentionError) in
            try batched(tensor, "key", width: configuration.keyDimension)
        }
        let valueInput = try value.map { (tensor) throws(AttentionError) in
            try batched(tensor, "value", width: configuration.valueDimension)
        }
        let keys = keyInput ?? input
        guard keys.shape[0] == input.shape[0] else {
            throw .invalid("key", .shape, expected: "batch \(input.shape[0])", found: "\(keys.shape)")
        }
        if let valueInput, Array(valueInput.shape.prefix(2)) != Array(keys.shape.prefix(2)) {
            throw .invalid(
                "value", .shape, expected: "\(keys.shape.prefix(2)) as the key", found: "\(valueInput.shape)")
        }
        let selection = try selection(mask, queries: input, keys: keys)
        var (attended, found): (Tensor, Tensor?)
        if keyInput == nil, valueInput == nil {
            try expectWidths()
            (attended, found) = try selfAttention(input, selection, wantsWeights: weights != nil, pass)
        } else {
            let projected = try projectedKeys(keys, valueInput, selection, pass)
            (attended, found) = try crossAttention(input, projected, wantsWeights: weights != nil, pass)
        }
        if weights == .averaged, let perHead = found { found = try averaged(perHead, pass) }
        if query.rank == 2 { attended = try attended.reshaped(query.shape) }
        return (attended, found)
    }

    func selection(
        _ mask: MultiHeadMask, queries: Tensor, keys: Tensor
    ) throws(AttentionError) -> KeySelection {
        try mask.selection(
            MaskSizes(
                batch: queries.shape[0], heads: configuration.heads, queries: queries.shape[1], keys: keys.shape[1],
                added: addedKeys.count), device)
    }

    /// `[batch, queries, modelDimension]` attends itself.
    func selfAttention(
        _ input: Tensor, _ selection: KeySelection, wantsWeights: Bool = false, _ pass: ForwardPass
    ) throws(AttentionError) -> (output: Tensor, weights: Tensor?) {
        let projected = try projection.all(input, pass)
        var (query, key) = (projected.query, projected.key)
        if let rotary {
            let starts = try [Int32](filled: 0, input.shape[0], "query")
            let offsets = selection.queryOffsets
            query = try rotary(query, heads: configuration.heads, starts: starts, offsets: offsets, pass)
            key = try rotary(key, heads: configuration.keyValueHeads, starts: starts, offsets: offsets, pass)
        }
        let keys = try withAddedKeys(ProjectedKeys(key: key, value: projected.value, selection: selection), pass)
        return try attend(query, keys, wantsWeights: wantsWeights, isCross: false, pass)
    }

    /// Keys and values of `[batch, keys, …]`, which a decoder computes once and attends for each token.
    func projectedKeys(
        _ key: Tensor, _ value: Tensor?, _ selection: KeySelection, _ pass: ForwardPass
    ) throws(AttentionError) -> ProjectedKeys {
        var (key, value) = try projection.keys(key, value, pass)
        if let rotary {
            key = try rotary(
                key, heads: configuration.keyValueHeads, starts: try Array(filled: 0, key.shape[0], "key"),
                offsets: selection.keyOffsets, pass)
        }
        return try withAddedKeys(ProjectedKeys(key: key, value: value, selection: selection), pass)
    }

    /// `[batch, queries, modelDimension]` attends keys that are there.
    func crossAttention(
        _ input: Tensor, _ keys: ProjectedKeys, wantsWeights: Bool = false, _ pass: ForwardPass
    ) throws(AttentionError) -> (output: Tensor, weights: Tensor?) {
        var query = try projection.query(input, pass)
        if let rotary {
            query = try rotary(
                query, heads: configuration.heads, starts: try Array(filled: 0, input.shape[0], "query"),
                offsets: keys.selection.queryOffsets, pass)
        }
        return try attend(query, keys, wantsWeights: wantsWeights, isCross: true, pass)
    }

    /// Attends and projects. The attended rows are written as the last projection reads them, heads side by side.
    private func attend(
        _ query: Tensor, _ keys: ProjectedKeys, wantsWeights: Bool, isCross: Bool, _ pass: ForwardPass
    ) throws(AttentionError) -> (output: Tensor, weights: Tensor?) {
        var inputs = AttentionInputs(query: query, key: keys.key, value: keys.value)
        inputs.queryHeads = configuration.heads
        inputs.keyValueHeads = configuration.keyValueHeads
        keys.selection.apply(to: &inputs)
        let attended = try pass.tensor(query.shape)
        let weights = try run(inputs, into: attended, wantsWeights: wantsWeights, isCross: isCross, pass)
        return (try output(attended, pass: pass), weights)
    }

    private func run(
        _ inputs: AttentionInputs, into attended: Tensor, wantsWeights: Bool, isCross: Bool, _ pass: ForwardPass
    ) throws(AttentionError) -> Tensor? {
        var options = AttentionOptions()
        if wantsWeights || pass.keepsAttention { options.scores = .probabilities }
        let result = try pass.perform(inputs, options, into: attended)
        if pass.keepsAttention, let weights = result.scores { pass.keep(weights, isCross: isCross) }
        return result.scores
    }
}

// MARK: - With a cache

extension MultiHeadAttention {
    /// Attends the keys of earlier calls and the input's own, which are appended to the cache: one step of decoding, or several
    /// at once.
    ///
    /// - Parameters:
    ///   - input: `[sequences, n, modelDimension]`, the rows after those in the cache.
    ///   - cache: of `keyValueHeads` heads and `headDimension`; on the layer's device.
    ///   - pass: memory, cancelling, and attention weights of a whole model.
    /// - Returns: shaped as the input; each row sees the keys up to its own.
    /// - Throws: `AttentionError.invalid` also for layers with added keys, which have no place in a cache.
    ///
    /// Cost: projections of the new rows, and one read of the cache.
    public func callAsFunction(
        _ input: Tensor, cache: KeyValueCache, pass: ForwardPass? = nil
    ) throws(AttentionError) -> Tensor {
        let pass = pass ?? ForwardPass(device)
        let rows = try batched(input, "input", width: configuration.modelDimension)
        try expectWidths()
        guard addedKeys.isEmpty else {
            throw .invalid("cache", .combination, expected: "none with add_bias_kv or add_zero_attn", found: "one")
        }
        guard rows.shape[0] == cache.sequences else {
            throw .invalid("input", .shape, expected: "\(cache.sequences) sequences", found: "\(rows.shape)")
        }
        let projected = try projection.all(rows, pass)
        var (query, key) = (projected.query, projected.key)
        if let rotary {
            let starts = cache.lengths.map { Int32(clamping: $0) }
            query = try rotary(query, heads: configuration.heads, starts: starts, offsets: nil, pass)
            key = try rotary(key, heads: configuration.keyValueHeads, starts: starts, offsets: nil, pass)
        }
        let heads = configuration.keyValueHeads
        try cache.append(key: try key.splitIntoHeads(heads), value: try projected.value.splitIntoHeads(heads))
        let attended = try pass.tensor(query.shape)
        let inputs = cache.inputs(
            for: try query.splitIntoHeads(configuration.heads), mask: rows.shape[1] > 1 ? .causal : .none)
        _ = try run(
            inputs, into: try attended.splitIntoHeads(configuration.heads), wantsWeights: false, isCross: false, pass)
        let result = try output(attended, pass: pass)
        return input.rank == 2 ? try result.reshaped(input.shape) : result
    }

    /// An empty cache for this layer.
    ///
    /// - Parameters:
    ///   - sequences: how many are decoded together.
    ///   - capacity: keys that fit before it grows.
    public func makeCache(sequences: Int = 1, capacity: Int = 64) throws(AttentionError) -> KeyValueCache {
        try KeyValueCache(
            device: device, sequences: sequences, keyValueHeads: configuration.keyValueHeads,
            headDimension: configuration.headDimension, capacity: capacity, staysOnDevice: true)
    }
}

// MARK: - Parts

extension MultiHeadAttention {
    /// A tensor of rank 3; one sequence, or packed ones, as a batch of 1.
    private func batched(_ tensor: Tensor, _ name: String, width: Int) throws(AttentionError) -> Tensor {
        guard tensor.rank == 2 || tensor.rank == 3, tensor.shape.last == width else {
            throw .invalid(name, .shape, expected: "[batch, length, \(width)]", found: "\(tensor.shape)")
        }
        guard tensor.rank == 2 else { return tensor }
        return try tensor.viewed(
            shape: [1] + tensor.shape, strides: [tensor.count] + tensor.strides, offset: tensor.layout.offset)
    }

    private func expectWidths() throws(AttentionError) {
        guard configuration.isPacked else {
            throw .invalid(
                "key", .combination,
                expected: "keys of width \(configuration.keyDimension), values of \(configuration.valueDimension)",
                found: "the query in their place")
        }
    }

    /// Keys and values with the learned ones and those of zeros behind them.
    private func withAddedKeys(_ keys: ProjectedKeys, _ pass: ForwardPass) throws(AttentionError) -> ProjectedKeys {
        if addedKeys.isEmpty { return keys }
        var result = keys
        result.key = try extended(keys.key, addedKeys.map { $0?.key }, pass)
        result.value = try extended(keys.value, addedKeys.map { $0?.value }, pass)
        return result
    }

    private func extended(
        _ rows: Tensor, _ added: [Tensor?], _ pass: ForwardPass
    ) throws(AttentionError) -> Tensor {
        let (batch, length, width) = (rows.shape[0], rows.shape[1], rows.shape[2])
        let result = try pass.tensor([batch, length + added.count, width])
        if result.count == 0 { return result }
        if rows.count > 0 {
            try pass.perform(.copy(CopyOperation(source: rows, target: try result.sliced(axis: 1, 0..<length))))
        }
        for (place, row) in added.enumerated() {
            let target = try result.sliced(axis: 1, length + place..<length + place + 1)
            let source = try row.map { (row) throws(AttentionError) in
                try row.viewed(shape: [batch, 1, width], strides: [0, 0, 1], offset: row.layout.offset)
            }
            try pass.perform(.copy(CopyOperation(source: source, target: target)))
        }
        return result
    }

    /// The mean over the heads. On the host: weights are looked at there.
    private func averaged(_ weights: Tensor, _ pass: ForwardPass) throws(AttentionError) -> Tensor {
        let shape = [weights.shape[0], weights.shape[2], weights.shape[3]]
        if weights.count == 0 { return try pass.tensor(shape) }
        let (batch, heads, pairs) = (weights.shape[0], weights.shape[1], weights.shape[2] * weights.shape[3])
        let values = try weights.doubles()
        var means = [Double](repeating: 0, count: batch * pairs)
        for entry in 0..<batch {
            for head in 0..<heads {
                let start = (entry * heads + head) * pairs
                for pair in 0..<pairs { means[entry * pairs + pair] += values[start + pair] }
            }
        }
        for index in means.indices { means[index] /= Double(heads) }
        return try device.parameter(try Tensor(means, shape: shape, elementType: .float32))
    }
}
