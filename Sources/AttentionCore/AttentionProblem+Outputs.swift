extension AttentionProblem {
    /// The layout of the output: the query's rank and order of memory, without gaps.
    public func outputLayout(like query: Tensor) throws(AttentionError) -> TensorLayout {
        query.rank == 4
            ? try TensorLayout(shape: shape.outputShape, memoryOrder: query.layout.memoryOrder, operand: "output")
            : try TensorLayout(shape: packedOutputShape, memoryOrder: query.layout.memoryOrder, operand: "output")
    }

    private var packedOutputShape: [Int] {
        [shape.batch, shape.queryLength, shape.queryHeads * shape.valueDimension]
    }

    /// The output as `[batch, head, row, column]`.
    public func outputView(_ output: Tensor) -> HeadView { HeadView(output.layout, columns: shape.valueDimension) }

    /// `tensor`, of rank 4, as `[batch, head, row, column]`; of rank 3 as `[batch, head, row]`.
    public func rowView(_ tensor: Tensor) -> HeadView {
        let s = tensor.strides
        return HeadView(
            offset: tensor.layout.offset, batch: s[0], head: s[1], row: s[2], column: s.count > 3 ? s[3] : 0)
    }

    /// New tensors for all that this call writes; `make` gives the memory.
    public func makeOutputs(
        for inputs: AttentionInputs, output: Tensor? = nil,
        make: (Int) throws(AttentionError) -> any TensorStorage
    ) throws(AttentionError) -> AttentionOutputs {
        func tensor(_ layout: TensorLayout, _ type: ElementType, _ name: String) throws(AttentionError) -> Tensor {
            let bytes = try Tensor.byteCount(layout.extent.upperBound, type, name)
            return try Tensor(storage: try make(bytes), layout: layout, elementType: type)
        }
        var outputs: AttentionOutputs
        if let output {
            outputs = AttentionOutputs(output: output)
        } else {
            outputs = AttentionOutputs(
                output: try tensor(try outputLayout(like: inputs.query), queryType, "output"))
        }
        if wantsLogSumExp {
            outputs.logSumExp = try tensor(try TensorLayout(contiguous: shape.rowShape), .float32, "logSumExp")
        }
        if scores != nil {
            outputs.scores = try tensor(try TensorLayout(contiguous: shape.scoreShape), queryType, "scores")
        }
        if inputs.pastKey != nil {
            let lead = [shape.batch, shape.keyValueHeads, shape.keyLength]
            outputs.presentKey = try tensor(
                try TensorLayout(contiguous: lead + [shape.headDimension]), queryType, "presentKey")
            outputs.presentValue = try tensor(
                try TensorLayout(contiguous: lead + [shape.valueDimension]), valueType, "presentValue")
        }
        return outputs
    }

    /// Checks tensors that a caller gave to be written.
    ///
    /// - Throws: ``AttentionError/invalid(_:)`` for a wrong shape or type, elements that share memory, or memory of an operand.
    public func check(_ outputs: AttentionOutputs, for inputs: AttentionInputs) throws(AttentionError) {
        let rank4 = inputs.query.rank == 4
        try expect("output", outputs.output, rank4 ? shape.outputShape : packedOutputShape, queryType, true)
        try expect("logSumExp", outputs.logSumExp, shape.rowShape, .float32, wantsLogSumExp)
        try expect("scores", outputs.scores, shape.scoreShape, queryType, scores != nil)
        let lead = [shape.batch, shape.keyValueHeads, shape.keyLength]
        let hasPast = inputs.pastKey != nil
        try expect("presentKey", outputs.presentKey, lead + [shape.headDimension], queryType, hasPast)
        try expect("presentValue", outputs.presentValue, lead + [shape.valueDimension], valueType, hasPast)

        let operands: [(String, Tensor?)] = [
            ("query", inputs.query), ("key", inputs.key), ("value", inputs.value), ("mask", inputs.mask.tensor),
            ("pastKey", inputs.pastKey), ("pastValue", inputs.pastValue),
        ]
        let written: [(String, Tensor?)] = [
            ("output", outputs.output), ("logSumExp", outputs.logSumExp), ("scores", outputs.scores),
            ("presentKey", outputs.presentKey), ("presentValue", outputs.presentValue),
        ]
        for (index, (name, tensor)) in written.enumerated() {
            guard let tensor else { continue }
            for (other, operand) in operands + written[..<index] {
                guard let operand, tensor.sharesMemory(with: operand) else { continue }
                throw .invalid(name, .overlap, expected: "memory apart from \(other)", found: "shared bytes")
            }
        }
    }

    private func expect(
        _ name: String, _ tensor: Tensor?, _ shape: [Int], _ type: ElementType, _ isWanted: Bool
    ) throws(AttentionError) {
        guard let tensor else {
            if isWanted { throw .invalid(name, .combination, expected: "a tensor of shape \(shape)", found: "none") }
            return
        }
        guard isWanted else {
            throw .invalid(name, .combination, expected: "none, as it was not asked for", found: "a tensor")
        }
        guard tensor.shape == shape else {
            throw .invalid(name, .shape, expected: "shape \(shape)", found: "\(tensor.shape)")
        }
        guard tensor.elementType == type else {
            throw .invalid(name, .elementType, expected: "\(type)", found: "\(tensor.elementType)")
        }
        guard !tensor.layout.mayOverlapItself else {
            throw .invalid(name, .overlap, expected: "strides that keep elements apart", found: "\(tensor.strides)")
        }
    }
}

extension AttentionProblem {
    /// The rest of a call once the present keys and values are written: they take the place of the past and new ones.
    public func afterJoining(
        _ inputs: AttentionInputs, _ outputs: AttentionOutputs
    ) -> (AttentionProblem, AttentionInputs, AttentionOutputs) {
        guard let key = outputs.presentKey, let value = outputs.presentValue else { return (self, inputs, outputs) }
        var (inputs, outputs) = (inputs, outputs)
        (inputs.key, inputs.value, inputs.pastKey, inputs.pastValue) = (key, value, nil, nil)
        (outputs.presentKey, outputs.presentValue) = (nil, nil)
        return (replacingKeys(key, value), inputs, outputs)
    }
}

extension Tensor {
    /// True if the two may have a byte in common: same storage, and ranges that meet.
    func sharesMemory(with other: Tensor) -> Bool {
        guard count > 0, other.count > 0 else { return false }
        func bytes(_ t: Tensor) -> Range<Int> {
            t.layout.extent.lowerBound * t.elementType.byteCount..<t.layout.extent.upperBound * t.elementType.byteCount
        }
        if storage === other.storage { return bytes(self).overlaps(bytes(other)) }
        guard let mine = storage.hostBytes?.baseAddress, let theirs = other.storage.hostBytes?.baseAddress else {
            return false
        }
        let (a, b) = (bytes(self), bytes(other))
        return mine + a.lowerBound < theirs + b.upperBound && theirs + b.lowerBound < mine + a.upperBound
    }
}
