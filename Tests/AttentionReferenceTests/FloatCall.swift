import AttentionCore

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// One call of ``FloatAttention`` and its results.
struct FloatCall {
    let problem: AttentionProblem
    let operands: FloatOperands
    let arithmetic: FloatAttention.Arithmetic
    let fault: Fault?
    let products: HalfSum.Products
    /// Sums in half of the output's columns.
    private var columnSums: [HalfSum]
    var output: [Float]
    var logSumExp: [Float]
    var scores: [Float]

    private static let log2e: Float = 1.44269504088896341

    init(
        _ problem: AttentionProblem, _ operands: FloatOperands, _ arithmetic: FloatAttention.Arithmetic,
        _ fault: Fault?, _ products: HalfSum.Products
    ) {
        (self.problem, self.operands, self.arithmetic, self.fault) = (problem, operands, arithmetic, fault)
        self.products = products
        columnSums = Array(repeating: HalfSum(products), count: problem.shape.valueDimension)
        let s = problem.shape
        let rows = s.batch * s.queryHeads * s.queryLength
        output = Array(repeating: 0, count: rows * s.valueDimension)
        logSumExp = Array(repeating: -.infinity, count: rows)
        let rest: Float = problem.scores == .masked ? -.infinity : 0
        scores = problem.scores == nil ? [] : Array(repeating: rest, count: rows * s.keyLength)
    }

    mutating func compute() {
        for segment in problem.segments {
            for head in 0..<problem.shape.queryHeads {
                for i in 0..<segment.queryCount { row(segment, head, i) }
            }
        }
    }

    /// What lands in memory of the output's type.
    func stored(_ value: Float, _ type: ElementType) -> Double {
        if fault == .truncated {
            let bits: UInt32 = type == .float16 ? 13 : type == .bfloat16 ? 16 : 8
            return Double(Float(bitPattern: (value.bitPattern >> bits) << bits))
        }
        if fault == .roundedTwice {
            // To two bits more than the type holds, then to the type.
            let bits: UInt32 = type == .float16 ? 11 : 14
            return Double(Float(bitPattern: ((value.bitPattern + (1 << (bits - 1))) >> bits) << bits))
        }
        return Double(value)
    }

    private func flushed(_ x: Float) -> Float {
        arithmetic == .flushed && abs(x) < .leastNormalMagnitude ? 0 : x
    }

    private func rounded(_ x: Float, _ type: ElementType) -> Float { Float(type.rounded(Double(x))) }

    private func exponential(_ x: Float) -> Float {
        let e =
            switch arithmetic {
            case .base2: exp2f(x * Self.log2e)
            case .scaledBase2: exp2f(x)
            default: expf(x)
            }
        return flushed(fault == .exponentialCoarse ? e * (x < -0.5 ? 1 + 0x1p-12 : 1) : e)
    }

    private func isExcluded(_ segment: Segment, _ head: Int, _ i: Int, _ j: Int, mask: Float) -> Bool {
        let offset = fault == .causalIgnoresOffset ? 0 : segment.offset
        let p = i + offset
        if mask == -.infinity { return true }
        if problem.isCausal && j > p + (fault == .causalOffByOne ? 1 : 0) { return true }
        if let left = problem.windowLeft, j < p - left + (fault == .windowLeftExclusive ? 1 : 0) { return true }
        if let right = problem.windowRight, j > p + right + (fault == .windowRightInclusiveTwice ? 1 : 0) {
            return true
        }
        return fault == .pastIgnored && j < problem.pastLength
    }

    private func maskEntry(_ segment: Segment, _ head: Int, _ i: Int, _ j: Int) -> Float {
        guard !operands.mask.isEmpty else { return problem.mask == nil ? 0 : -.infinity }
        let s = problem.shape
        let line = fault == .maskOfRowZero ? 0 : segment.queryStart + i
        let column = segment.keyStart + j
        guard column < operands.maskKeys else { return fault == .shortMaskAttended ? 0 : -.infinity }
        let entry =
            operands.mask[((segment.batch * s.queryHeads + head) * s.queryLength + line) * operands.maskKeys + column]
        if fault == .maskDropped && entry.isFinite { return 0 }
        if fault == .boolMaskInverted && problem.maskType == .bool { return entry == 0 ? -.infinity : 0 }
        return fault == .maskTwice && entry.isFinite ? 2 * entry : entry
    }

    /// scale · q·k of a key that is counted from the first of the buffer.
    private func dot(_ segment: Segment, _ head: Int, _ i: Int, _ key: Int) -> Float {
        let s = problem.shape
        let group = fault == .wrongHead ? head % s.keyValueHeads : head * s.keyValueHeads / s.queryHeads
        let q = ((segment.batch * s.queryHeads + head) * s.queryLength + segment.queryStart + i) * s.headDimension
        let k = ((segment.batch * s.keyValueHeads + group) * s.keyLength + key) * s.headDimension
        var sum: Float = 0
        if products != .float && problem.scores == nil { return dotInHalf(q, k) }
        operands.query.withUnsafeBufferPointer { query in
            operands.key.withUnsafeBufferPointer { keys in
                for d in 0..<s.headDimension { sum = flushed(sum + flushed(query[q + d] * keys[k + d])) }
            }
        }
        if fault == .scaleDropped { return sum }
        let scale = fault == .scaleByValueDimension ? 1 / Double(s.valueDimension).squareRoot() : problem.scale
        let score = flushed(sum * Float(scale))
        return fault == .scoresHalf ? rounded(score, .float16) : score
    }

    /// The scale goes to the query before that is rounded.
    private func dotInHalf(_ q: Int, _ k: Int) -> Float {
        var scale = Float(problem.scale)
        if fault == .scaleDropped { scale = 1 }
        if fault == .scaleByValueDimension { scale = 1 / Float(problem.shape.valueDimension).squareRoot() }
        var (part, sum) = (HalfSum(products), Float(0))
        for d in 0..<problem.shape.headDimension {
            if let full = part.add(operands.query[q + d] * scale, operands.key[k + d]) { sum += full }
        }
        return sum + part.take()
    }

    private func capped(_ s: Float) -> Float {
        let c = Float(problem.softcap)
        guard c > 0, fault != .softcapDropped else { return s }
        return fault == .softcapNotScaledBack ? tanhf(s / c) : c * tanhf(s / c)
    }

    private mutating func row(_ segment: Segment, _ head: Int, _ i: Int) {
        let s = problem.shape
        let line = (segment.batch * s.queryHeads + head) * s.queryLength + segment.queryStart + i
        if problem.scores == .scaled || problem.scores == .softCapped {
            for other in problem.isPacked ? problem.segments : [segment] {
                for j in other.keyStart..<other.keyStart + other.keyCount {
                    let raw = dot(segment, head, i, j)
                    let shown = fault == .scoresUnscaled ? raw / Float(problem.scale) : raw
                    scores[line * s.keyLength + j] = problem.scores == .softCapped ? capped(shown) : shown
                }
            }
        }
        var entries: [(key: Int, score: Float)] = []
        var count = fault == .lengthsIgnored ? segment.keyCapacity : segment.keyCount
        if fault == .tailKeyDropped && count % 8 == 1 { count -= 1 }
        if fault == .otherSequencesAttended { count = s.keyLength - segment.keyStart }
        for j in 0..<count {
            let mask = maskEntry(segment, head, i, j)
            let excluded = isExcluded(segment, head, i, j, mask: mask)
            if excluded && fault != .maskedByFiniteNumber { continue }
            var score = dot(segment, head, i, segment.keyStart + j)
            if fault == .softcapAfterMask { score = capped(score + mask) } else { score = capped(score) + mask }
            if fault == .maskedByFiniteNumber && excluded { score = -1e4 }
            if !problem.alibiSlopes.isEmpty {
                let slope = Float(problem.alibiSlopes[fault == .alibiOfHeadZero ? 0 : head])
                let p = i + (fault == .alibiIgnoresOffset ? 0 : segment.offset)
                let bias = slope * abs(Float(j - p))
                score = fault == .alibiSign ? score + bias : score - bias
            }
            if problem.scores == .masked { scores[line * s.keyLength + segment.keyStart + j] = score }
            entries.append((segment.keyStart + j, score))
        }
        softmax(segment, head, line, entries)
    }

    private mutating func softmax(
        _ segment: Segment, _ head: Int, _ line: Int, _ entries: [(key: Int, score: Float)]
    ) {
        let s = problem.shape
        var sink = problem.sinks.isEmpty ? -Float.infinity : Float(problem.sinks[fault == .sinkOfHeadZero ? 0 : head])
        let group = fault == .wrongHead ? head % s.keyValueHeads : head * s.keyValueHeads / s.queryHeads
        let values = (segment.batch * s.keyValueHeads + group) * s.keyLength
        let columns = s.valueDimension
        guard !entries.isEmpty else {
            logSumExp[line] = sink
            if fault == .emptyRowMean && s.keyLength > 0 { output[line * columns] = operands.value[values * columns] }
            return
        }
        let unit: Float = arithmetic == .scaledBase2 ? Self.log2e : 1
        let scores = entries.map { $0.score * unit }
        sink *= unit
        if fault == .sinkMissing { sink = -.infinity }
        var maximum = sink
        for score in scores { maximum = score.isNaN || maximum.isNaN ? .nan : max(maximum, score) }
        if fault == .maximumNotSubtracted { maximum = 0 }

        var sum: Float = 0
        var total = [Float](repeating: 0, count: columns)
        var weights = [Float](repeating: 0, count: entries.count)
        var running = -Float.infinity
        for (index, score) in scores.enumerated() {
            let isOnline = arithmetic == .online && !maximum.isNaN
            if isOnline && score > running {
                let factor = running == -.infinity || fault == .rescaleDropped ? 1 : exponential(running - score)
                sum = flushed(sum * factor)
                addColumnSums(to: &total)
                for d in 0..<columns { total[d] = flushed(total[d] * factor) }
                running = score
            }
            weights[index] = exponential(score - (isOnline ? running : maximum))
            if fault == .weightsBFloat { weights[index] = rounded(weights[index], .bfloat16) }
            sum += weights[index]
            if fault == .sumBFloat { sum = rounded(sum, .bfloat16) }
            if arithmetic == .normalizedFirst { continue }
            accumulate(&total, weights[index], (values + entries[index].key) * columns)
        }
        addColumnSums(to: &total)
        if arithmetic == .online && sink > -.infinity && !maximum.isNaN {
            let top = max(running, sink)
            let factor = exponential(running - top)
            sum = sum * factor + exponential(sink - top)
            for d in 0..<columns { total[d] *= factor }
            maximum = top
        } else if arithmetic == .online {
            maximum = maximum.isNaN ? .nan : running
        } else if sink > -.infinity {
            sum += exponential(sink - maximum) * (fault == .sinkTwice ? 2 : 1)
        }
        if arithmetic == .normalizedFirst {
            for index in weights.indices {
                weights[index] = flushed(weights[index] / sum)
                accumulate(&total, weights[index], (values + entries[index].key) * columns)
            }
        } else {
            for d in 0..<columns { total[d] /= sum }
        }
        for d in 0..<columns { output[line * columns + d] = flushed(total[d]) }
        finish(line, entries, weights, sum, maximum, unit, sink)
    }

    private mutating func accumulate(_ total: inout [Float], _ weight: Float, _ value: Int) {
        let columns = total.count
        operands.value.withUnsafeBufferPointer { values in
            for d in 0..<columns {
                let element = values[value + (fault == .columnShift ? (d + 1) % columns : d)]
                if fault == .nanDropped && element.isNaN { continue }
                if products != .float {
                    if let full = columnSums[d].add(weight, element) { total[d] += full }
                    continue
                }
                total[d] = flushed(total[d] + flushed(weight * element))
            }
        }
    }

    private mutating func addColumnSums(to total: inout [Float]) {
        guard products != .float else { return }
        for d in total.indices { total[d] += columnSums[d].take() }
    }

    private mutating func finish(
        _ line: Int, _ entries: [(key: Int, score: Float)], _ weights: [Float], _ sum: Float, _ maximum: Float,
        _ unit: Float, _ sink: Float
    ) {
        let logarithm = maximum / unit + logf(sum)
        logSumExp[line] = fault == .logSumExpBase2 ? logarithm * Self.log2e : logarithm
        if fault == .logSumExpWithoutSink, sink > -.infinity {
            logSumExp[line] = maximum / unit + logf(max(sum - exponential(sink - maximum), 0))
        }
        guard problem.scores == .probabilities else { return }
        let length = problem.shape.keyLength
        if fault == .probabilitiesOfExcluded { for j in 0..<length { scores[line * length + j] = 1e-6 } }
        for (entry, weight) in zip(entries, weights) {
            // The online sums have moved on since a weight was formed: a second pass, as kernels do it.
            let p =
                arithmetic == .online
                ? exponential(entry.score - maximum) / sum : arithmetic == .normalizedFirst ? weight : weight / sum
            scores[line * length + entry.key] = maximum.isNaN ? .nan : p
        }
    }
}
