import AttentionCore

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

extension PlainKernel {
    /// Softmax of the scores that are left, the weighted sum, and what else a row returns.
    func softmax(
        _ b: Int, _ head: Int, _ group: Int, _ line: Int, _ list: inout [(key: Int, score: Float)], count: Int,
        keyStart: Int
    ) {
        var sink = problem.sinks.isEmpty ? -Float.infinity : Float(problem.sinks[head])
        let withSink = sink
        if fault == .sinkMissing { sink = -.infinity }
        if fault == .plusInfinityClamped {
            for index in list.indices { list[index].score = min(list[index].score, .greatestFiniteMagnitude) }
        }
        if list.isEmpty { return emptyRow(b, head, group, line, sink: withSink, keys: keyStart..<keyStart + count) }
        var highest = sink
        for entry in list { highest = entry.score.isNaN ? .nan : max(highest, entry.score) }
        if list.contains(where: { $0.score.isNaN }) { highest = .nan }
        if fault == .maximumNotSubtracted { highest = 0 }
        let shift = highest == -.infinity ? 0 : highest
        var sum: Float = sink == -.infinity ? 0 : expf(sink - shift)
        if fault == .sinkTwice { sum *= 2 }
        var weights: [Float] = []
        for entry in list {
            var weight = expf(entry.score - shift)
            if fault == .fastExponential { weight *= 1 + 0x1p-14 * Float(entry.key % 3 - 1) }
            if fault == .probabilitiesHalf { weight = Float(ElementType.float16.rounded(Double(weight))) }
            weights.append(weight)
            sum += weight
        }
        if fault == .emptyRowIgnoresSink, sum == 0 { sum = 1 }
        let isEmpty = sum == 0
        for d in 0..<outputColumns {
            var total: Float = 0
            for (entry, weight) in zip(list, weights) {
                let element = v(b, group, entry.key, d)
                if fault == .nanValueDropped, element.isNaN { continue }
                total += weight * element
                if fault == .sumsBFloat { total = Float(ElementType.bfloat16.rounded(Double(total))) }
            }
            if fault == .excludedTimesZero {
                let seen = Set(list.map(\.key))
                for j in keyStart..<keyStart + count where !seen.contains(j) { total += 0 * v(b, group, j, d) }
            }
            write(isEmpty ? 0 : total / sum, b, head, line, d)
        }
        if problem.scores == .probabilities {
            for (entry, weight) in zip(list, weights) { store(b, head, line, entry.key, isEmpty ? 0 : weight / sum) }
        }
        var lse = isEmpty ? -.infinity : shift + logf(sum)
        if fault == .logSumExpWithoutSink, sink > -.infinity { lse = shift + logf(max(sum - expf(sink - shift), 0)) }
        if fault == .logSumExpBase2 { lse *= 1.442695 }
        store(lse, b, head, line)
    }

    private var outputColumns: Int {
        problem.shape.valueDimension - (fault == .lastColumnDropped && problem.shape.valueDimension % 2 == 1 ? 1 : 0)
    }

    private func emptyRow(_ b: Int, _ head: Int, _ group: Int, _ line: Int, sink: Float, keys: Range<Int>) {
        if fault == .emptyRowUnwritten { return }
        for d in 0..<problem.shape.valueDimension {
            var result: Float = 0
            if fault == .emptyRowMean, !keys.isEmpty {
                for j in keys { result += v(b, group, j, d) / Float(keys.count) }
            }
            if fault == .emptyRowNaN { result = .nan }
            write(result, b, head, line, d)
        }
        let lse = fault == .emptyRowIgnoresSink ? -.infinity : sink
        store(fault == .emptyLogSumExpPositive && lse == -.infinity ? .infinity : lse, b, head, line)
    }

    // MARK: Stores

    private func write(_ value: Float, _ b: Int, _ head: Int, _ line: Int, _ d: Int) {
        var value = value
        if fault == .truncatedOutput {
            switch problem.queryType {
            case .bfloat16: value = Float(bitPattern: value.bitPattern & 0xFFFF_0000)
            case .float16: value = Float(bitPattern: value.bitPattern & 0xFFFF_E000)
            default: value = Float(bitPattern: value.bitPattern & 0xFFFF_FF00)
            }
        }
        let isOdd =
            switch fault {
            case .bitsByRun: number % 2 == 1
            case .bitsByBatch: problem.shape.batch > 1 || problem.shape.queryHeads > 2
            case .bitsByRows: line % 16 >= 8 && problem.shape.queryLength % 2 == 0
            default: false
            }
        if isOdd {
            value =
                problem.queryType == .float32 ? value.nextUp : value * (problem.queryType == .float16 ? 1.0005 : 1.004)
        }
        output[outputView.index(b, head, line, d)] = value
    }

    private func store(_ lse: Float, _ b: Int, _ head: Int, _ line: Int) {
        guard let logSumExp, let layout = outputs.logSumExp?.layout else { return }
        logSumExp[layout.offset + b * layout.strides[0] + head * layout.strides[1] + line * layout.strides[2]] = lse
    }

    func store(_ b: Int, _ head: Int, _ line: Int, _ j: Int, _ value: Float) {
        guard let scores, let layout = outputs.scores?.layout else { return }
        let s = layout.strides
        scores[layout.offset + b * s[0] + head * s[1] + line * s[2] + j * s[3]] = value
    }

    /// What stands in scores where no row of a segment writes: beyond lengths and in other sequences.
    func clearScores() {
        guard let scores, let layout = outputs.scores?.layout else { return }
        var rest: Float = problem.scores == .masked ? -.infinity : 0
        if fault == .rawBeyondLength, problem.scores == .scaled { rest = 1 }
        if fault == .probabilityOfExcluded, problem.scores == .probabilities { rest = 1e-3 }
        layout.forEachIndex { scores[$0] = rest }
    }

    func copyPresent() {
        for (present, past, new, view) in [
            (outputs.presentKey, inputs.pastKey, inputs.key, problem.key),
            (outputs.presentValue, inputs.pastValue, inputs.value, problem.value),
        ] {
            guard let present, let past else { continue }
            let size = present.elementType.byteCount
            guard let target = try? Elements(present), let first = try? Elements(past), let second = try? Elements(new)
            else { continue }
            let (s, p) = (present.strides, past.strides)
            for b in 0..<present.shape[0] {
                for h in 0..<present.shape[1] {
                    for j in 0..<present.shape[2] {
                        for d in 0..<present.shape[3] {
                            let isPast = j < problem.pastLength
                            var row = isPast ? j : j - problem.pastLength
                            if fault == .presentOrder, isPast { row = problem.pastLength - 1 - j }
                            let from =
                                isPast
                                ? past.layout.offset + b * p[0] + h * p[1] + row * p[2] + d * p[3]
                                : view.index(b, h, row, d)
                            let source = (isPast ? first : second).base + from * size
                            let place = present.layout.offset + b * s[0] + h * s[1] + j * s[2] + d * s[3]
                            (target.base + place * size).copyMemory(from: source, byteCount: size)
                            if fault == .presentRounded { target[place] = target[place] * 1.0000002 }
                        }
                    }
                }
            }
        }
    }

    /// Writes where nobody may.
    func spoilMemory() {
        let extent = outputs.output.layout.extent
        switch fault {
        case .writesBehindOutput: output[extent.upperBound] = 0
        case .writesBeforeOutput: output[extent.lowerBound - 1] = 0
        case .writesGaps:
            guard problem.shape.queryLength > 1 else { return }
            output[outputView.index(0, 0, 0, problem.shape.valueDimension - 1) + 1] = 0
        case .changesKey:
            if inputs.key.count > 0 { key[problem.key.index(0, 0, 0, 0)] = 0.125 }
        default: break
        }
    }
}
