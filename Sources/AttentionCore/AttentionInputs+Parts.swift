extension AttentionProblem {
    /// `part` of this call as a call of its own, with its operands: views of the same memory, except where ``part(_:)`` says that they
    /// are taken as `float32`.
    ///
    /// - Parameters:
    ///   - part: Of a call without past keys, and without blocks if it lacks keys.
    ///   - inputs: The operands of the whole.
    public func part(
        _ part: ProblemPart, of inputs: AttentionInputs
    ) throws(AttentionError) -> (problem: AttentionProblem, inputs: AttentionInputs) {
        let problem = self.part(part)
        let heads = queryHeads(part)
        var cut = inputs
        cut.query = try inputs.query.splitIntoHeads(shape.queryHeads)
            .sliced(axis: 0, part.batch).sliced(axis: 1, heads).sliced(axis: 2, part.rows)
        func rows(_ tensor: Tensor) throws(AttentionError) -> Tensor {
            let own = try tensor.splitIntoHeads(shape.keyValueHeads).sliced(axis: 1, part.keyValueHeads)
            // The entries of a pool of blocks are blocks, which any batch entry may have.
            if inputs.blockTable != nil { return own }
            return try own.sliced(axis: 0, part.batch).sliced(axis: 2, part.keys)
        }
        cut.key = try rows(inputs.key)
        cut.value = try rows(inputs.value)
        if problem.queryType != queryType {
            cut.query = try cut.query.widened()
            cut.key = try cut.key.widened()
        }
        cut.blockTable = inputs.blockTable.map { BlockTable(Array($0.rows[part.batch]), columns: $0.columns) }
        cut.mask.tensor = try inputs.mask.tensor?.cutMask(part, heads)
        cut.alibiSlopes = alibiSlopes.isEmpty ? nil : problem.alibiSlopes
        cut.sinks = problem.sinks.isEmpty ? nil : problem.sinks
        // Lengths and positions are in the problem, and could not be told by these.
        (cut.keyLengths, cut.cumulativeQueryOffsets, cut.cumulativeKeyOffsets) = (nil, nil, nil)
        (cut.queryHeads, cut.keyValueHeads) = (nil, nil)
        return (try problem.viewing(cut), cut)
    }

    /// The same call with its operands where `inputs` has them: tensors of rank 4 and of its sizes.
    public func viewing(_ inputs: AttentionInputs) throws(AttentionError) -> AttentionProblem {
        var copy = self
        if let mask = inputs.mask.tensor { copy = try replacingMask(mask) }
        copy.blockSize = inputs.blockTable == nil ? 0 : blockSize
        copy.query = HeadView(inputs.query.layout, columns: shape.headDimension)
        copy.key = HeadView(inputs.key.layout, columns: shape.headDimension)
        copy.value = HeadView(inputs.value.layout, columns: shape.valueDimension)
        return copy
    }
}

extension Tensor {
    /// A mask's entries for `part`, of rank 4. Dimensions of size 1 are broadcast and stay, but for the last, which ends early.
    fileprivate func cutMask(_ part: ProblemPart, _ heads: Range<Int>) throws(AttentionError) -> Tensor {
        // A single number is every key's; a last dimension of 1 is the first key's.
        guard rank > 0 else { return self }
        let missing = 4 - rank
        var mask = try viewed(
            shape: Array(repeating: 1, count: missing) + shape,
            strides: Array(repeating: 0, count: missing) + strides, offset: layout.offset)
        for (axis, range) in [part.batch, heads, part.rows].enumerated() where mask.shape[axis] > 1 {
            mask = try mask.sliced(axis: axis, range)
        }
        return try mask.sliced(axis: 3, part.keys.clamped(to: 0..<mask.shape[3]))
    }

    /// The same numbers as `float32`, in host memory and without gaps.
    func widened() throws(AttentionError) -> Tensor {
        let source = try onHost()
        let wide = try Tensor(uninitialized: TensorLayout(contiguous: shape), .float32)
        wide.withHostBytes { target in
            source.withHostBytes { bytes in
                guard let from = bytes.baseAddress, let to = target.baseAddress else { return }
                var place = 0
                source.layout.forEachIndex { index in
                    to.storeBytes(
                        of: Float(elementType.load(from, index)), toByteOffset: place * 4, as: Float.self)
                    place += 1
                }
            }
        }
        return wide
    }
}
