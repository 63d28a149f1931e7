import AttentionCore

extension RowWorker {
    /// Modes 0 and 1: every pair whose key is within its own length, excluded or not; 0 beyond.
    func rawScores(_ segment: Segment, _ h: Int, _ i: Int, _ row: Int) {
        let isCapped = problem.scores == .softCapped
        // Of a packed call all sequences are shown, the keys of others too.
        let shown = problem.isPacked ? problem.segments : [segment]
        for other in shown where other.keyCount > 0 {
            var keys = segment
            keys.keyStart = other.keyStart
            products(keys, h, i, 0..<other.keyCount)
            let first = row * problem.shape.keyLength + other.keyStart
            for j in 0..<other.keyCount {
                if isCapped {
                    store(first + j, score: j, size: scaleAndCap(j))
                } else {
                    let size = max(term[j], abs(problem.scale))
                    score[j] *= problem.scale
                    term[j] *= abs(problem.scale)
                    store(first + j, score: j, size: max(size, term[j]))
                }
            }
        }
    }

    private func store(_ place: Int, score j: Int, size: Double) {
        results.scores[place] = score[j]
        results.scoreAllowance[place] =
            score[j].isNaN ? 0 : size > Self.largestScore ? .infinity : allowance(j)
    }

    /// Modes 2 and 3: −∞ and 0 where excluded.
    func finalScores(
        _ segment: Segment, _ row: Int, _ keys: Range<Int>, _ softmax: RowSoftmax, _ facts: ReferenceRow
    ) {
        let length = problem.shape.keyLength
        let isMasked = problem.scores == .masked
        if isMasked { for j in 0..<length { results.scores[row * length + j] = -.infinity } }
        for j in keys where isAttended[j] {
            let place = row * length + segment.keyStart + j
            results.scores[place] = isMasked ? score[j] : weight[j]
            if facts.state == .unspecified {
                results.scoreAllowance[place] = .infinity
            } else if isMasked {
                results.scoreAllowance[place] = score[j].isFinite ? allowance(j) : 0
            } else if facts.state == .specified {
                // Gate G1 for a value that is 1 at this key and 0 at all others.
                let p = weight[j]
                let gap = softmax.maximum - score[j]
                results.scoreAllowance[place] =
                    ErrorSums(
                        dimension: problem.shape.headDimension, attended: facts.attended,
                        weightedTerms: p > 0 ? p * (term[j] + softmax.meanTerm) : 0,
                        weightedGaps: p > 0 ? p * (gap + softmax.meanGap) : 0, absolute: p,
                        underflow: Contract.smallestNormal * Double(facts.attended + 6)
                    ).largest
            }
        }
    }

    /// Gate S: what a score may be off by.
    private func allowance(_ j: Int) -> Double {
        Self.u * (Double(problem.shape.headDimension + 4) * term[j] + 10 * abs(score[j])) + Contract.smallestNormal
    }
}
