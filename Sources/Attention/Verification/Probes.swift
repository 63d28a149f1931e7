import AttentionCore

/// A part of a call that is computed once more, by itself: its bits must be those it had in company.
struct ProbePart {
    /// For messages: `batch 1`, `rows 3..<7`.
    let name: String
    let inputs: AttentionInputs
    /// Ranges of batch, heads, rows and keys of the whole call's results that the part computes.
    let batch: Range<Int>
    let heads: Range<Int>
    let rows: Range<Int>
    let keys: Range<Int>
}

/// Cuts a case into the parts that its probe asks for.
struct ProbeCutter {
    let prepared: PreparedCase
    private var problem: AttentionProblem { prepared.problem }
    private var inputs: AttentionInputs { prepared.inputs }

    init(_ prepared: PreparedCase) { self.prepared = prepared }

    func parts(_ random: inout SeededGenerator) throws(AttentionError) -> [ProbePart] {
        let shape = problem.shape
        if problem.isEmpty { return [] }
        switch prepared.spec.probe {
        case .none: return []
        case .again: return [part("the same call again", inputs)]
        case .batch: return [try batchPart(random.below(shape.batch))]
        case .heads: return [try headPart(random.below(shape.keyValueHeads), random.below(shape.queryHeads))]
        case .rows: return try rowParts(&random)
        case .separate:
            var parts: [ProbePart] = []
            for segment in problem.segments where segment.queryCount > 0 {
                parts.append(try sequencePart(segment))
            }
            return parts
        case .paged: return [try pagedPart(&random)]
        }
    }

    private func part(
        _ name: String, _ inputs: AttentionInputs, batch: Range<Int>? = nil, heads: Range<Int>? = nil,
        rows: Range<Int>? = nil, keys: Range<Int>? = nil
    ) -> ProbePart {
        let shape = problem.shape
        return ProbePart(
            name: name, inputs: inputs, batch: batch ?? 0..<shape.batch, heads: heads ?? 0..<shape.queryHeads,
            rows: rows ?? 0..<shape.queryLength, keys: keys ?? 0..<shape.keyLength)
    }

    private func batchPart(_ b: Int) throws(AttentionError) -> ProbePart {
        let range = b..<b + 1
        var part = try inputs.mapTensors { tensor throws(AttentionError) in tensor }
        part.query = try inputs.query.sliced(axis: 0, range)
        part.key = try inputs.key.sliced(axis: 0, range)
        part.value = try inputs.value.sliced(axis: 0, range)
        part.pastKey = try inputs.pastKey?.cut(axis: 0, range)
        part.pastValue = try inputs.pastValue?.cut(axis: 0, range)
        part.mask.tensor = try inputs.mask.tensor?.cutMask(place: 0, range)
        part.keyLengths = inputs.keyLengths.map { [$0[b]] }
        return self.part("batch \(b) alone", part, batch: range)
    }

    /// One key head with its query heads, or one query head of a single key head.
    private func headPart(_ group: Int, _ single: Int) throws(AttentionError) -> ProbePart {
        let shape = problem.shape
        let ratio = shape.queryHeads / shape.keyValueHeads
        let heads = shape.keyValueHeads == 1 ? single..<single + 1 : group * ratio..<(group + 1) * ratio
        let keyHeads = shape.keyValueHeads == 1 ? 0..<1 : group..<group + 1
        var part = inputs
        part.query = try inputs.query.cutHeads(heads, columns: shape.headDimension)
        part.key = try inputs.key.cutHeads(keyHeads, columns: shape.headDimension)
        part.value = try inputs.value.cutHeads(keyHeads, columns: shape.valueDimension)
        part.pastKey = try inputs.pastKey?.cut(axis: 1, keyHeads)
        part.pastValue = try inputs.pastValue?.cut(axis: 1, keyHeads)
        part.mask.tensor = try inputs.mask.tensor?.cutMask(place: 1, heads)
        part.alibiSlopes = inputs.alibiSlopes.map { Array($0[heads]) }
        part.sinks = inputs.sinks.map { Array($0[heads]) }
        if inputs.queryHeads != nil { (part.queryHeads, part.keyValueHeads) = (heads.count, keyHeads.count) }
        return self.part("heads \(heads) alone", part, heads: heads)
    }

    /// The first rows where positions count from the front, the last ones where they count from the end, and any where nobody counts.
    private func rowParts(_ random: inout SeededGenerator) throws(AttentionError) -> [ProbePart] {
        guard !problem.isPacked else { return [part("the same call again", inputs)] }
        let count = problem.shape.queryLength
        let size = 1 + random.below(max(count - 1, 1))
        let countsFromEnd = inputs.mask.alignment == .bottomRight || inputs.keyLengths != nil
        let isPositional =
            problem.isCausal || problem.windowLeft != nil || problem.windowRight != nil || !problem.alibiSlopes.isEmpty
        let first = isPositional ? (countsFromEnd ? count - size : 0) : random.below(count - size + 1)
        let rows = first..<first + size
        var part = inputs
        part.query = try inputs.query.cut(axis: inputs.query.rank == 4 ? 2 : 1, rows)
        part.mask.tensor = try inputs.mask.tensor?.cutMask(place: 2, rows)
        return [self.part("rows \(rows) alone", part, rows: rows)]
    }

    /// One packed sequence as a call of its own. Its keys end where its padding begins, so that no length has to be given.
    private func sequencePart(_ segment: Segment) throws(AttentionError) -> ProbePart {
        let rows = segment.queryStart..<segment.queryStart + segment.queryCount
        let keys = segment.keyStart..<segment.keyStart + segment.keyCount
        let axis = inputs.query.rank == 4 ? 2 : 1
        var part = inputs
        part.cumulativeQueryOffsets = nil
        part.cumulativeKeyOffsets = nil
        part.keyLengths = nil
        part.query = try inputs.query.cut(axis: axis, rows)
        part.key = try inputs.key.cut(axis: axis, keys)
        part.value = try inputs.value.cut(axis: axis, keys)
        if let mask = inputs.mask.tensor {
            let cut = try mask.cutMask(place: 2, rows)
            guard let width = mask.shape.last else { return self.part("", part, rows: rows, keys: keys) }
            let low = min(keys.lowerBound, width)
            part.mask.tensor = try cut.cut(axis: mask.rank - 1, low..<max(low, min(keys.upperBound, width)))
        }
        return self.part("sequence \(rows) alone", part, rows: rows, keys: keys)
    }
}

// MARK: - Blocks

extension ProbeCutter {
    /// The same keys and values in a pool of blocks, which lie in no order among blocks of NaN.
    private func pagedPart(_ random: inout SeededGenerator) throws(AttentionError) -> ProbePart {
        let shape = problem.shape
        let size = 1 << random.below(7)
        var free = Array(0..<shape.batch * ((shape.keyLength + size - 1) / size) + 3)
        let blocks = free.count
        let rows = problem.segments.map { segment in
            (0..<(segment.keyCount + size - 1) / size).map { _ in free.remove(at: random.below(free.count)) }
        }
        func pool(_ operand: Tensor, _ view: HeadView, _ columns: Int) throws(AttentionError) -> Tensor {
            let type = operand.elementType
            let storage = try HostStorage(byteCount: blocks * shape.keyValueHeads * size * columns * type.byteCount)
            storage.fillWithNaN()
            let pool = try Tensor(
                storage: storage, layout: try TensorLayout(contiguous: [blocks, shape.keyValueHeads, size, columns]),
                elementType: type)
            for (entry, row) in rows.enumerated() {
                for (index, block) in row.enumerated() {
                    let count = min(size, problem.segments[entry].keyCount - index * size)
                    let source = try operand.viewed(
                        shape: [1, shape.keyValueHeads, count, columns],
                        strides: [0, view.head, view.row, view.column],
                        offset: view.offset + entry * view.batch + index * size * view.row)
                    try pool.sliced(axis: 0, block..<block + 1).sliced(axis: 2, 0..<count).writeBytes(of: source)
                }
            }
            return pool
        }
        var part = inputs
        part.key = try pool(inputs.key, problem.key, shape.headDimension)
        part.value = try pool(inputs.value, problem.value, shape.valueDimension)
        if part.query.rank == 3 {
            part.key = try part.key.asRank3()
            part.value = try part.value.asRank3()
        }
        part.blockTable = BlockTable(rows, columns: (shape.keyLength + size - 1) / size + random.below(3))
        return self.part("the same keys in blocks of \(size)", part)
    }
}

extension Tensor {
    /// `[batch, head, row, column]` as `[batch, row, head · column]`: a copy.
    fileprivate func asRank3() throws(AttentionError) -> Tensor {
        let rows = try permuted([0, 2, 1, 3])
        let bytes = try rows.contiguousBytes()
        return try Tensor(
            bytes: bytes, shape: [shape[0], shape[2], shape[1] * shape[3]], elementType: elementType)
    }

    func cut(axis: Int, _ range: Range<Int>) throws(AttentionError) -> Tensor { try sliced(axis: axis, range) }

    /// Heads of a tensor of rank 4, or columns of one of rank 3.
    func cutHeads(_ heads: Range<Int>, columns: Int) throws(AttentionError) -> Tensor {
        rank == 4
            ? try sliced(axis: 1, heads) : try sliced(axis: 2, heads.lowerBound * columns..<heads.upperBound * columns)
    }

    /// A mask's part along one of `[batch, head, row, key]`, unless it is broadcast there.
    func cutMask(place: Int, _ range: Range<Int>) throws(AttentionError) -> Tensor {
        let axis = place - (4 - rank)
        guard axis >= 0, shape[axis] > 1 else { return self }
        return try sliced(axis: axis, range)
    }
}
