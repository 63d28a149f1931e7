import AttentionCore
import Foundation

/// One head of one segment.
struct ReferenceHead {
    private let problem: AttentionProblem
    private let operands: ReferenceOperands
    private let segment: Segment
    private let head: Int

    /// One key as a query sees it.
    private struct Pair {
        var key: Int
        var score: Double
        /// `T` of the error bound.
        var t: Double
        var intermediate: Double
    }

    init(_ problem: AttentionProblem, _ operands: ReferenceOperands, _ segment: Segment, _ head: Int) {
        self.problem = problem
        self.operands = operands
        self.segment = segment
        self.head = head
    }

    private var keyValueRow: Int {
        (segment.batch * problem.shape.keyValueHeads + problem.keyValueHead(head)) * problem.shape.keyLength
    }

    /// The place of row `i` in row-major order.
    private func row(_ i: Int) -> Int {
        (segment.batch * problem.shape.queryHeads + head) * problem.shape.queryLength + segment.queryStart + i
    }

    func computeRow(_ i: Int, _ result: inout ReferenceResult) {
        writeEarlyScores(i, &result)
        let pairs = attendedPairs(i)
        let sink = problem.sinks.isEmpty ? -Double.infinity : problem.sinks[head]
        let best = pairs.reduce(sink) { $1.score.isNaN ? $0 : max($0, $1.score) }
        let isBroken = pairs.contains { $0.score.isNaN || $0.score == .infinity }
        if problem.scores == .masked {
            for pair in pairs {
                let at = row(i) * problem.shape.keyLength + segment.keyStart + pair.key
                result.scores[at] = pair.score
                result.scoreBounds[at] = ScoreBound(t: pair.t, intermediate: pair.intermediate)
            }
        }
        result.rows[row(i)].attended = pairs.count
        result.rows[row(i)].largestT = pairs.reduce(0) { max($0, $1.t) }
        result.rows[row(i)].largestIntermediate = pairs.reduce(0) { max($0, $1.intermediate) }
        guard !isBroken else { return writeBroken(i, pairs, &result) }
        guard !pairs.isEmpty else {
            result.logSumExp[row(i)] = sink
            return
        }
        let weights = pairs.map { exp($0.score - best) }
        let sum = weights.reduce(sink == -.infinity ? 0 : exp(sink - best), +)
        result.logSumExp[row(i)] = best + log(sum)
        if let leader = leader(pairs, sink) {
            let start = (keyValueRow + segment.keyStart + leader) * problem.shape.valueDimension
            result.rows[row(i)].leaderValues = Array(operands.value[start..<start + problem.shape.valueDimension])
        }
        writeOutput(i, pairs, weights.map { $0 / sum }, best, &result)
    }

    /// Scores of all pairs, excluded or not, for the two modes that show them.
    private func writeEarlyScores(_ i: Int, _ result: inout ReferenceResult) {
        guard let mode = problem.scores, mode == .scaled || mode == .softCapped else { return }
        // Packed: the pairs with other sequences are shown as well.
        let others = problem.isPacked ? problem.segments : [segment]
        for other in others {
            for j in 0..<other.keyCount {
                var (score, t, size) = scaled(i, other.keyStart + j)
                if mode == .softCapped { (score, t) = softCapped(score, t) }
                let at = row(i) * problem.shape.keyLength + other.keyStart + j
                result.scores[at] = score
                result.scoreBounds[at] = ScoreBound(t: t, intermediate: max(size, t))
            }
        }
    }

    /// `scale · q·k`, `|scale| · Σ |q·k|`, and that without the scale.
    private func scaled(_ i: Int, _ key: Int) -> (Double, Double, Double) {
        let depth = problem.shape.headDimension
        let q = row(i) * depth
        let k = (keyValueRow + key) * depth
        return operands.query.withUnsafeBufferPointer { query in
            operands.key.withUnsafeBufferPointer { keys in
                var (sum, size) = (0.0, 0.0)
                for d in 0..<depth {
                    let product = query[q + d] * keys[k + d]
                    sum += product
                    size += abs(product)
                }
                return (problem.scale * sum, abs(problem.scale) * size, size)
            }
        }
    }

    private func softCapped(_ score: Double, _ t: Double) -> (Double, Double) {
        guard problem.softcap > 0 else { return (score, t) }
        let capped = problem.softcap * tanh(score / problem.softcap)
        return (capped, t + 10 * abs(capped))
    }

    /// The keys that row `i` attends, with their scores.
    private func attendedPairs(_ i: Int) -> [Pair] {
        let slope = problem.alibiSlopes.isEmpty ? 0 : problem.alibiSlopes[head]
        var pairs: [Pair] = []
        for j in problem.keyRange(segment, row: i) {
            var added = 0.0
            if problem.maskType != nil {
                guard segment.keyStart + j < problem.maskKeys else { continue }
                added =
                    operands.mask[
                        operands.maskView.index(
                            segment.batch, head, segment.queryStart + i, segment.keyStart + j)]
                if added == -.infinity { continue }
            }
            let (raw, rawT, size) = scaled(i, segment.keyStart + j)
            let (score, t) = softCapped(raw, rawT)
            let distance = slope * abs(Double(j - i - segment.offset))
            let whole = t + abs(added) + abs(distance)
            pairs.append(Pair(key: j, score: score + added - distance, t: whole, intermediate: max(size, whole)))
        }
        return pairs
    }

    private func leader(_ pairs: [Pair], _ sink: Double) -> Int? {
        guard let first = pairs.max(by: { $0.score < $1.score }) else { return nil }
        let rest = pairs.reduce(sink) { $1.key == first.key ? $0 : max($0, $1.score) }
        return first.score - rest > Contract.exactLead ? first.key : nil
    }

    private func writeOutput(
        _ i: Int, _ pairs: [Pair], _ p: [Double], _ best: Double, _ result: inout ReferenceResult
    ) {
        let columns = problem.shape.valueDimension
        var (meanT, meanG) = (0.0, 0.0)
        for (pair, p) in zip(pairs, p) {
            meanT += p * pair.t
            meanG += p == 0 ? 0 : p * (best - pair.score)
        }
        let at = row(i) * columns
        result.output.withUnsafeMutableBufferPointer { output in
            result.bounds.withUnsafeMutableBufferPointer { bounds in
                operands.value.withUnsafeBufferPointer { values in
                    for (pair, p) in zip(pairs, p) {
                        let v = (keyValueRow + segment.keyStart + pair.key) * columns
                        let gap = p == 0 ? 0 : best - pair.score
                        let isLost = best - pair.score > Contract.smallestGap
                        for c in 0..<columns {
                            let size = abs(values[v + c])
                            output[at + c] += p * values[v + c]
                            bounds[at + c].a += p * size
                            bounds[at + c].c1 += p * pair.t * size
                            bounds[at + c].c2 += p * gap * size
                            if isLost { bounds[at + c].lost += size }
                        }
                    }
                    for c in 0..<columns {
                        bounds[at + c].c1 += abs(output[at + c]) * meanT
                        bounds[at + c].c2 += abs(output[at + c]) * meanG
                    }
                }
            }
        }
        guard problem.scores == .probabilities else { return }
        for (pair, p) in zip(pairs, p) {
            let place = row(i) * problem.shape.keyLength + segment.keyStart + pair.key
            let gap = p == 0 ? 0 : best - pair.score
            result.scores[place] = p
            result.scoreBounds[place].probability = OutputBound(
                c1: p * (pair.t + meanT), c2: p * (gap + meanG), a: p,
                lost: best - pair.score > Contract.smallestGap ? 1 : 0)
        }
    }

    /// A NaN or +∞ among the scores of a row: NaN wherever its keys count.
    private func writeBroken(_ i: Int, _ pairs: [Pair], _ result: inout ReferenceResult) {
        let columns = problem.shape.valueDimension
        result.rows[row(i)].isBroken = true
        result.logSumExp[row(i)] = .nan
        for c in 0..<columns { result.output[row(i) * columns + c] = .nan }
        guard problem.scores == .probabilities else { return }
        for pair in pairs { result.scores[row(i) * problem.shape.keyLength + segment.keyStart + pair.key] = .nan }
    }
}
