import AttentionCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Computes rows one after the other, in scratch memory of its own.
final class RowWorker {
    let problem: AttentionProblem
    let operands: ReferenceOperands
    let results: ResultBuffers
    /// For bounds of products in half; `nil` for those of float.
    let half: HalfFacts?

    /// Per key of the segment: the score, then T (the sum of the sizes of what the score was added up from), then the weight.
    let score, term, weight: UnsafeMutablePointer<Double>
    /// Per key: what products in half may take off the score.
    let slack: UnsafeMutablePointer<Double>
    let isAttended: UnsafeMutablePointer<Bool>
    /// Per value column: the sums over keys that the output and its bounds are made of.
    let sums: UnsafeMutablePointer<Double>

    /// Beyond this size of a score, or of an intermediate of one, the contract promises no numbers.
    static let largestScore = 0x1p126
    /// Half a unit in the last place of `float32`, in which others compute.
    static let u = 0x1p-24

    init(
        _ problem: AttentionProblem, _ operands: ReferenceOperands, _ results: ResultBuffers, _ half: HalfFacts? = nil
    ) {
        self.problem = problem
        self.half = half
        self.operands = operands
        self.results = results
        let keys = max(problem.shape.keyLength, 1)
        score = .allocate(capacity: keys)
        term = .allocate(capacity: keys)
        weight = .allocate(capacity: keys)
        slack = .allocate(capacity: half == nil ? 0 : keys)
        isAttended = .allocate(capacity: keys)
        sums = .allocate(capacity: 4 * problem.shape.valueDimension)
    }

    deinit {
        score.deallocate()
        term.deallocate()
        weight.deallocate()
        slack.deallocate()
        isAttended.deallocate()
        sums.deallocate()
    }

    /// All results of row `i` of a segment.
    func evaluate(_ segment: Segment, head h: Int, row i: Int) {
        let shape = problem.shape
        let row = (segment.batch * shape.queryHeads + h) * shape.queryLength + segment.queryStart + i
        if problem.scores == .scaled || problem.scores == .softCapped { rawScores(segment, h, i, row) }

        let keys = problem.keyRange(segment, row: i)
        products(segment, h, i, keys)
        var facts = adjust(segment, h, i, keys)
        let softmax = weigh(keys, sink: problem.sinks.isEmpty ? -.infinity : problem.sinks[h], &facts)
        let loose = half == nil || facts.state != .specified ? nil : halfRow(keys, &facts)
        results.logSumExp[row] = softmax.logSumExp
        results.rows[row] = facts
        output(segment, h, row, keys, softmax, facts, loose)
        if problem.scores == .masked || problem.scores == .probabilities {
            finalScores(segment, row, keys, softmax, facts)
        }
    }

    /// score = q·k and term = Σ|q_d·k_d|, for the keys in `keys`.
    func products(_ segment: Segment, _ h: Int, _ i: Int, _ keys: Range<Int>) {
        let shape = problem.shape
        for j in keys {
            score[j] = 0
            term[j] = 0
        }
        let row = (segment.batch * shape.queryHeads + h) * shape.queryLength + segment.queryStart + i
        let head = segment.batch * shape.keyValueHeads + problem.keyValueHead(h)
        operands.query.withUnsafeBufferPointer { query in
            operands.keyTransposed.withUnsafeBufferPointer { key in
                guard !keys.isEmpty, let allKeys = key.baseAddress else { return }
                for d in 0..<shape.headDimension {
                    let q = query[row * shape.headDimension + d]
                    let k = allKeys + (head * shape.headDimension + d) * shape.keyLength + segment.keyStart
                    for j in keys {
                        let product = q * k[j]
                        score[j] += product
                        term[j] += abs(product)
                    }
                }
            }
        }
    }

    /// Scale, softcap, mask, ALiBi and exclusion, in this order; T grows with each. Returns what is known of the row by then.
    private func adjust(_ segment: Segment, _ h: Int, _ i: Int, _ keys: Range<Int>) -> ReferenceRow {
        var facts = ReferenceRow()
        var isTooLarge = false
        let slope = problem.alibiSlopes.isEmpty ? 0 : problem.alibiSlopes[h]
        let row = (segment.batch * problem.shape.queryHeads + h) * problem.shape.queryLength + segment.queryStart + i
        let position = i + segment.offset
        for j in keys {
            var mask = 0.0
            isAttended[j] = true
            if let view = problem.mask, let type = problem.maskType {
                let column = segment.keyStart + j
                let entry =
                    column < problem.maskKeys
                    ? operands.mask(view, type, segment.batch, h, segment.queryStart + i, column) : -.infinity
                mask = type == .bool && column < problem.maskKeys ? (entry == 0 ? -.infinity : 0) : entry
                isAttended[j] = mask != -.infinity
            }
            guard isAttended[j] else { continue }
            facts.attended += 1
            if !findSlack(segment, h, row: row, j) { isTooLarge = true }
            var size = scaleAndCap(j)
            score[j] += mask
            term[j] += abs(mask)
            if slope != 0 {
                let bias = slope * Double(abs(j - position))
                score[j] -= bias
                term[j] += abs(bias)
            }
            size = max(size, term[j])
            if size > Self.largestScore && size < .infinity {
                isTooLarge = true
            } else if score[j].isNaN || score[j] == .infinity {
                // From a NaN or an infinity among the inputs, so any arithmetic gets it, whatever the other keys are.
                facts.state = .notANumber
            } else if size > Self.largestScore {
                isTooLarge = true
            }
        }
        if isTooLarge && facts.state == .specified { facts.state = .unspecified }
        return facts
    }

    /// Scale and softcap of one key's product; returns the largest size met on the way.
    func scaleAndCap(_ j: Int) -> Double {
        var size = max(term[j], abs(problem.scale))
        score[j] *= problem.scale
        term[j] *= abs(problem.scale)
        size = max(size, term[j])
        if problem.softcap > 0 {
            score[j] = problem.softcap * tanh(score[j] / problem.softcap)
            term[j] += 10 * abs(score[j])
        }
        return size
    }
}
