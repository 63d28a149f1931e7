import AttentionCore

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// One call of ``PlainBackend``: a row at a time, a key at a time.
struct PlainKernel {
    let problem: AttentionProblem
    let fault: Fault?
    let number: Int
    let query: Elements
    let key: Elements
    let value: Elements
    let pastKey: Elements?
    let pastValue: Elements?
    let mask: Elements?
    let output: Elements
    let logSumExp: Elements?
    let scores: Elements?
    let inputs: AttentionInputs
    let outputs: AttentionOutputs
    let outputView: HeadView
    var shape: AttentionShape { problem.shape }

    init(
        _ problem: AttentionProblem, _ inputs: AttentionInputs, _ outputs: AttentionOutputs, _ fault: Fault?, run: Int
    ) throws(AttentionError) {
        (self.problem, self.inputs, self.outputs, self.fault, number) = (problem, inputs, outputs, fault, run)
        query = try Elements(inputs.query)
        key = try Elements(inputs.key)
        value = try Elements(inputs.value)
        pastKey = try inputs.pastKey.map { tensor throws(AttentionError) in try Elements(tensor) }
        pastValue = try inputs.pastValue.map { tensor throws(AttentionError) in try Elements(tensor) }
        mask = try inputs.mask.tensor.map { tensor throws(AttentionError) in try Elements(tensor) }
        output = try Elements(outputs.output)
        logSumExp = try outputs.logSumExp.map { tensor throws(AttentionError) in try Elements(tensor) }
        scores = try outputs.scores.map { tensor throws(AttentionError) in try Elements(tensor) }
        outputView = problem.outputView(outputs.output)
    }

    mutating func run() {
        copyPresent()
        if problem.isEmpty { return }
        clearScores()
        for (number, segment) in problem.segments.enumerated() {
            for head in 0..<shape.queryHeads {
                if fault == .lastHeadUnwritten, head > 0, head == shape.queryHeads - 1 { continue }
                for i in 0..<segment.queryCount {
                    if fault == .lastRowUnwritten, i == segment.queryCount - 1, i % 8 == 7 { continue }
                    row(segment, number, head, i)
                }
            }
        }
        spoilMemory()
    }

    // MARK: Elements by position

    private func index(_ tensor: Tensor, _ b: Int, _ h: Int, _ row: Int, _ column: Int) -> Int {
        let s = tensor.strides
        return tensor.layout.offset + b * s[0] + h * s[1] + row * s[2] + column * s[3]
    }

    private func k(_ b: Int, _ h: Int, _ j: Int, _ d: Int) -> Float {
        if let pastKey, let tensor = inputs.pastKey, j < problem.pastLength {
            return pastKey[index(tensor, b, h, j, d)]
        }
        let row = j - problem.pastLength
        if fault == .contiguousKeys {
            let place = ((b * shape.keyValueHeads + h) * (shape.keyLength - problem.pastLength) + row)
            return key[min(problem.key.offset + place * shape.headDimension + d, key.capacity - 1)]
        }
        return key[problem.key.index(b, h, row, d)]
    }

    func v(_ b: Int, _ h: Int, _ j: Int, _ d: Int) -> Float {
        if let pastValue, let tensor = inputs.pastValue, j < problem.pastLength {
            let row = fault == .pastValueSwapped ? problem.pastLength - 1 - j : j
            return pastValue[index(tensor, b, h, row, d)]
        }
        var view = problem.value
        if fault == .valueRowStride { view.row = view.column * shape.valueDimension }
        return value[max(0, min(view.index(b, h, j - problem.pastLength, d), value.capacity - 1))]
    }

    private func q(_ b: Int, _ h: Int, _ row: Int, _ d: Int) -> Float {
        var view = problem.query
        if fault == .batchStrideOfQuery { view.batch = shape.queryHeads * shape.queryLength * shape.headDimension }
        return query[min(view.index(b, h, row, d), query.capacity - 1)]
    }

    // MARK: One row

    private func row(_ segment: Segment, _ number: Int, _ head: Int, _ i: Int) {
        let b = segment.batch
        let group = fault == .groupByRemainder ? head % shape.keyValueHeads : problem.keyValueHead(head)
        let line = segment.queryStart + i
        let count = keyCount(segment)
        let keyStart = segment.keyStart + (fault == .packedKeysShifted && number > 1 && segment.keyStart > 0 ? -1 : 0)
        var list: [(key: Int, score: Float)] = []
        for j in 0..<count {
            var raw = dot(b, head, group, line, keyStart + j)
            if fault == .scoresHalf { raw = round(raw, .float16) }
            if problem.scores == .scaled {
                store(b, head, line, keyStart + j, fault == .cappedRawScore ? capped(raw) : raw)
            }
            let excluded = isExcluded(segment, head, i, j)
            var s = fault == .softcapAfterMask ? raw : capped(raw)
            if problem.scores == .softCapped { store(b, head, line, keyStart + j, s) }
            if excluded && fault != .excludedAsMinusInfinity && fault != .softcapAfterMask {
                if problem.scores == .masked {
                    store(
                        b, head, line, keyStart + j,
                        fault == .maskedScoreFinite ? -.greatestFiniteMagnitude : -.infinity)
                }
                continue
            }
            if excluded { s += -.infinity } else { s += added(segment, head, i, j) }
            if fault == .softcapAfterMask { s = capped(s) }
            if problem.scores == .masked { store(b, head, line, keyStart + j, s) }
            list.append((keyStart + j, s))
        }
        for other in problem.segments where problem.isPacked && other != segment {
            for j in other.keyStart..<other.keyStart + other.keyCount {
                let raw = dot(b, head, group, line, j)
                if problem.scores == .scaled { store(b, head, line, j, raw) }
                if problem.scores == .softCapped { store(b, head, line, j, capped(raw)) }
            }
        }
        softmax(b, head, group, line, &list, count: count, keyStart: keyStart)
    }

    private func keyCount(_ segment: Segment) -> Int {
        switch fault {
        case .lengthsIgnored: segment.keyCapacity
        case .packedLengthsIgnored where problem.isPacked: segment.keyCapacity
        case .tailKeyDropped where segment.keyCount % 8 == 1 && segment.keyCount > 1: segment.keyCount - 1
        default: segment.keyCount
        }
    }

    private func dot(_ b: Int, _ head: Int, _ group: Int, _ line: Int, _ j: Int) -> Float {
        var sum: Float = 0
        var columns = shape.headDimension
        if fault == .headDimensionTail, columns > 8 { columns -= columns % 8 }
        for d in 0..<columns { sum += q(b, head, line, d) * k(b, group, j, d) }
        var scale = Float(problem.scale)
        if fault == .scaleByValueDimension, problem.scale == 1 / Double(shape.headDimension).squareRoot() {
            scale = 1 / Float(shape.valueDimension).squareRoot()
        }
        if fault == .scaleSignLost { scale = abs(scale) }
        return sum * scale
    }

    private func capped(_ s: Float) -> Float {
        guard problem.softcap > 0, fault != .softcapIgnored else { return s }
        let cap = Float(problem.softcap)
        return cap * tanhf(s / cap)
    }

    private func position(_ segment: Segment, _ i: Int) -> Int {
        var offset = segment.offset
        let isBottomRight = inputs.mask.alignment == .bottomRight
        if fault == .bottomRightByCapacity, isBottomRight { offset = segment.keyCapacity - segment.queryCount }
        if fault == .alignmentIgnored, isBottomRight { offset = problem.pastLength }
        if fault == .lengthsOffsetIgnored, inputs.keyLengths != nil, !isBottomRight { offset = 0 }
        if fault == .pastOffsetIgnored, problem.pastLength > 0, !isBottomRight { offset = 0 }
        return i + offset
    }

    private func maskEntry(_ segment: Segment, _ head: Int, _ i: Int, _ j: Int) -> Float? {
        guard let mask, var view = problem.mask else { return nil }
        var column = segment.keyStart + j
        if fault == .oneKeyMaskBroadcast, problem.maskKeys == 1 { column = 0 }
        if column >= problem.maskKeys { return nil }
        if fault == .maskWithoutHeads { view.head = 0 }
        return mask[view.index(segment.batch, head, segment.queryStart + i, column)]
    }

    private func isExcluded(_ segment: Segment, _ head: Int, _ i: Int, _ j: Int) -> Bool {
        let p = position(segment, i)
        if problem.isCausal {
            let slack = fault == .causalOneTooMany ? 1 : fault == .causalStrict ? -1 : 0
            if j > p + slack { return true }
        }
        if let left = problem.windowLeft, left < p, j < p - left + (fault == .windowLeftNarrow ? 1 : 0) { return true }
        if let right = problem.windowRight, j > p, j - p - (fault == .windowRightWide ? 1 : 0) > right { return true }
        guard mask != nil else { return false }
        guard let entry = maskEntry(segment, head, i, j) else { return fault != .shortMaskAttended }
        if mask?.type == .bool { return (entry == 0) != (fault == .booleanInverted) }
        if fault == .finiteMinimumExcluded, entry < -60000 { return true }
        return entry == -.infinity
    }

    private func added(_ segment: Segment, _ head: Int, _ i: Int, _ j: Int) -> Float {
        var sum: Float = 0
        if mask?.type != .bool, fault != .maskNotAdded { sum += maskEntry(segment, head, i, j) ?? 0 }
        if !problem.alibiSlopes.isEmpty {
            let slope = Float(
                problem.alibiSlopes[fault == .alibiWrongHead ? problem.alibiSlopes.count - 1 - head : head])
            let distance = j - (fault == .alibiWithoutOffset ? i : position(segment, i))
            sum -= slope * Float(fault == .alibiWithoutAbs ? distance : abs(distance))
        }
        return sum
    }

    func round(_ value: Float, _ type: ElementType) -> Float { Float(type.rounded(Double(value))) }
}
