import AttentionCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// What the softmax of one row came to.
struct RowSoftmax {
    /// The largest score, the sink among them.
    var maximum = -Double.infinity
    var logSumExp = -Double.infinity
    /// `Σ p·T` and `Σ p·(maximum − s)`, the sink among them.
    var meanTerm = 0.0
    var meanGap = 0.0
}

extension RowWorker {
    /// weight = exp(score − maximum) / Σ over the attended keys and the sink; 0 for the others.
    func weigh(_ keys: Range<Int>, sink: Double, _ facts: inout ReferenceRow) -> RowSoftmax {
        var result = RowSoftmax()
        result.maximum = sink
        for j in keys where isAttended[j] {
            // Not `>`: the first NaN is to win, and to stay.
            if !(score[j] <= result.maximum) && !result.maximum.isNaN { result.maximum = score[j] }
            facts.largestTerm = max(facts.largestTerm, term[j])
        }
        if sink.isFinite { facts.largestTerm = max(facts.largestTerm, abs(sink)) }
        guard facts.attended > 0 else {
            result.logSumExp = sink
            return result
        }
        if facts.state == .specified { findLead(keys, sink, &facts) }
        guard result.maximum.isFinite else {
            result.logSumExp = .nan
            for j in keys { weight[j] = isAttended[j] ? .nan : 0 }
            return result
        }

        var sum = sink.isFinite ? exp(sink - result.maximum) : 0
        let sinkWeight = sum
        for j in keys {
            weight[j] = isAttended[j] ? exp(score[j] - result.maximum) : 0
            sum += weight[j]
        }
        result.logSumExp = result.maximum + log(sum)
        for j in keys where isAttended[j] {
            weight[j] /= sum
            guard weight[j] > 0 else { continue }
            result.meanTerm += weight[j] * term[j]
            result.meanGap += weight[j] * (result.maximum - score[j])
        }
        if sinkWeight > 0 {
            result.meanTerm += sinkWeight / sum * abs(sink)
            result.meanGap += sinkWeight / sum * (result.maximum - sink)
        }
        return result
    }

    /// How far the best key is ahead, exactly and for certain.
    private func findLead(_ keys: Range<Int>, _ sink: Double, _ facts: inout ReferenceRow) {
        for j in keys where isAttended[j] && (facts.bestKey < 0 || score[j] > score[facts.bestKey]) {
            facts.bestKey = j
        }
        let best = facts.bestKey
        // The worst that a sum of D products, and the few steps after it, can be off by.
        let slack = Self.u * Double(problem.shape.headDimension + 4)
        // What products in half may take off on top.
        func loose(_ j: Int) -> Double { half == nil ? 0 : self.slack[j] }
        facts.lead = score[best] - sink
        facts.certainLead = facts.lead - slack * (term[best] + (sink.isFinite ? abs(sink) : 0)) - loose(best)
        for j in keys where isAttended[j] && j != best {
            let lead = score[best] - score[j]
            facts.lead = min(facts.lead, lead)
            facts.certainLead = min(facts.certainLead, lead - slack * (term[best] + term[j]) - loose(best) - loose(j))
        }
    }
}
