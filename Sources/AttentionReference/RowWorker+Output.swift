import AttentionCore

extension RowWorker {
    /// A lead beyond this makes every other weight vanish in `float32`, subnormal numbers included (e⁻¹⁰⁴ < 2⁻¹⁵⁰).
    static let decisiveLead = 110.0

    /// output = Σ weight·v and the sums for its bounds, over the attended keys alone: the others may hold anything.
    func output(
        _ segment: Segment, _ h: Int, _ row: Int, _ keys: Range<Int>, _ softmax: RowSoftmax, _ facts: ReferenceRow,
        _ loose: HalfRow?
    ) {
        let columns = problem.shape.valueDimension
        guard facts.attended > 0 else { return }
        let target = row * columns
        guard facts.state != .notANumber, softmax.maximum.isFinite else {
            for d in 0..<columns { results.output[target + d] = .nan }
            return
        }
        let first =
            ((segment.batch * problem.shape.keyValueHeads + problem.keyValueHead(h)) * problem.shape.keyLength
                + segment.keyStart) * columns
        operands.value.withUnsafeBufferPointer { values in
            guard let allValues = values.baseAddress, let allResults = results.output.baseAddress else { return }
            let value = allValues + first
            let sum = allResults + target
            for j in keys where isAttended[j] {
                let p = weight[j]
                for d in 0..<columns { sum[d] += p * value[j * columns + d] }
            }
            if results.withBounds { bounds(value, target, keys, softmax, facts) }
            if let loose { halfBounds(value, target, keys, loose) }
            for d in 0..<columns where !sum[d].isFinite { sum[d] = notFinite(value + d, columns, keys) }
            if facts.certainLead > Self.decisiveLead {
                // The contract makes the output that key's value, not nearly that.
                for d in 0..<columns where sum[d].isFinite { sum[d] = value[facts.bestKey * columns + d] }
            }
        }
    }

    /// NaN if an attended value is; otherwise an infinity, which stands for anything that is not finite: a weight that vanishes in
    /// one arithmetic and not in another makes NaN of it or ±∞.
    private func notFinite(_ value: UnsafePointer<Double>, _ columns: Int, _ keys: Range<Int>) -> Double {
        for j in keys where isAttended[j] && value[j * columns].isNaN { return .nan }
        return .infinity
    }

    /// A, C1, C2 and the underflow of each column.
    private func bounds(
        _ value: UnsafePointer<Double>, _ target: Int, _ keys: Range<Int>, _ softmax: RowSoftmax, _ facts: ReferenceRow
    ) {
        let columns = problem.shape.valueDimension
        let absolute = sums
        let terms = sums + columns
        let gaps = sums + 2 * columns
        let lost = sums + 3 * columns
        for d in 0..<4 * columns { sums[d] = 0 }
        for j in keys where isAttended[j] {
            let p = weight[j]
            let gap = softmax.maximum - score[j]
            // Weights of 0 times a score of −∞ must not become NaN.
            let pT = p > 0 ? p * term[j] : 0
            let pg = p > 0 ? p * gap : 0
            for d in 0..<columns {
                let size = abs(value[j * columns + d])
                absolute[d] += p * size
                terms[d] += pT * size
                gaps[d] += pg * size
            }
            if gap > Contract.vanishingGap {
                for d in 0..<columns { lost[d] += abs(value[j * columns + d]) }
            }
        }
        for d in 0..<columns {
            let size = abs(results.output[target + d])
            results.absolute[target + d] = absolute[d]
            results.weightedTerms[target + d] = terms[d] + size * softmax.meanTerm
            results.weightedGaps[target + d] = gaps[d] + size * softmax.meanGap
            results.underflow[target + d] = Contract.smallestNormal * (Double(facts.attended) + 2 + 4 * lost[d])
        }
    }
}
