import AttentionCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// One number that a result should have, and what SEMANTICS allows around it.
struct Expected: Sendable {
    var value = 0.0
    /// Gates G1 and G2, or L, or S: the largest error apart from the rounding to the stored type.
    var det = 0.0
    var acc = 0.0
    /// The value is exact but for the rounding (gate E).
    var isExact = false
    /// Nothing is promised: an intermediate passed 2¹²⁶.
    var isFree = false
}

/// The Double results of one call with their bounds, in row-major order.
struct ExpectedResults: Sendable {
    var output: [Expected]
    var logSumExp: [Expected]
    var scores: [Expected]

    init(_ problem: AttentionProblem, _ inputs: AttentionInputs) {
        let shape = problem.shape
        let rows = shape.batch * shape.queryHeads * shape.queryLength
        output = [Expected](repeating: Expected(), count: rows * shape.valueDimension)
        logSumExp = [Expected](repeating: Expected(value: -.infinity), count: rows)
        let rest = problem.scores == .masked ? -Double.infinity : 0
        scores = [Expected](
            repeating: Expected(value: rest, isExact: true), count: problem.scores == nil ? 0 : rows * shape.keyLength)
        if problem.isEmpty { return }
        let reader = OperandReader(problem, inputs)
        for segment in problem.segments {
            for head in 0..<shape.queryHeads {
                for i in 0..<segment.queryCount { evaluate(problem, reader, segment, head, i) }
            }
        }
    }

    /// The smallest normal number: an OpenCL device may take anything below for zero.
    private static let smallest = 0x1p-126

    /// A key that is not excluded.
    private struct Entry {
        var key: Int
        var score: Double
        /// T of SEMANTICS: what the score's rounding errors are proportional to.
        var size: Double
        /// The largest intermediate, `q·k` before its scale included.
        var reach: Double
    }

    private mutating func evaluate(
        _ problem: AttentionProblem, _ reader: OperandReader, _ segment: Segment, _ head: Int, _ i: Int
    ) {
        let shape = problem.shape
        let line = segment.queryStart + i
        let row = (segment.batch * shape.queryHeads + head) * shape.queryLength + line
        let group = problem.keyValueHead(head)
        let range = problem.keyRange(segment, row: i)
        let query = reader.query(segment.batch, head, line)
        var entries: [Entry] = []
        for j in problem.scores == nil ? range : 0..<segment.keyCount {
            let column = segment.keyStart + j
            let (dot, absolute) = reader.dot(query, segment.batch, group, column)
            let raw = problem.scale * dot
            var size = abs(problem.scale) * absolute
            let capped = problem.softcap > 0 ? problem.softcap * tanh(raw / problem.softcap) : raw
            let reach = max(absolute, size)
            note(problem, row, column, .scaled, raw, size, reach)
            if problem.softcap > 0 { size += 10 * abs(capped) }
            note(problem, row, column, .softCapped, capped, size, reach)
            let entry = reader.mask(segment.batch, head, line, column)
            if !range.contains(j) || entry.isExcluded { continue }
            var score = capped + entry.added
            size += abs(entry.added)
            if !problem.alibiSlopes.isEmpty {
                let bias = problem.alibiSlopes[head] * Double(abs(j - (i + segment.offset)))
                score -= bias
                size += abs(bias)
            }
            note(problem, row, column, .masked, score, size, max(reach, size))
            entries.append(Entry(key: column, score: score, size: size, reach: max(reach, size)))
        }
        finish(problem, reader, entries, batch: segment.batch, head: head, group: group, row: row)
    }

    private mutating func note(
        _ problem: AttentionProblem, _ row: Int, _ key: Int, _ mode: ScoreOutput, _ score: Double, _ size: Double,
        _ reach: Double
    ) {
        guard problem.scores == mode else { return }
        // Each term of q·k, and what it is scaled to, may fall below the normal numbers, which devices may flush to zero.
        let flushed = Self.smallest * (1 + Double(problem.shape.headDimension) * abs(problem.scale))
        let bound = 0x1p-24 * (Double(problem.shape.headDimension + 4) * size + 10 * abs(score)) + flushed
        scores[row * problem.shape.keyLength + key] = Expected(
            value: score, det: bound, acc: bound, isFree: reach > 0x1p126 && !score.isNaN && score != .infinity)
    }

    private mutating func finish(
        _ problem: AttentionProblem, _ reader: OperandReader, _ entries: [Entry], batch: Int, head: Int, group: Int,
        row: Int
    ) {
        let u = 0x1p-24
        let shape = problem.shape
        let sink = problem.sinks.isEmpty ? -Double.infinity : problem.sinks[head]
        logSumExp[row] = Expected(value: sink, det: u * 4 * abs(sink))
        if sink == -.infinity { logSumExp[row].det = 0 }
        guard !entries.isEmpty else { return }
        let columns = shape.valueDimension
        let isNaN = entries.contains { $0.score.isNaN || $0.score == .infinity }
        let isFree = !isNaN && entries.contains { $0.reach > 0x1p126 }
        if isNaN || isFree {
            let all = Expected(value: .nan, isFree: isFree)
            for d in 0..<columns { output[row * columns + d] = all }
            logSumExp[row] = all
            guard problem.scores == .probabilities else { return }
            for entry in entries { scores[row * shape.keyLength + entry.key] = all }
            return
        }
        let highest = entries.reduce(sink) { max($0, $1.score) }
        let weights = entries.map { exp($0.score - highest) }
        let sinkWeight = sink == -.infinity ? 0 : exp(sink - highest)
        let sum = weights.reduce(sinkWeight, +)
        let lse = highest + log(sum)
        let count = Double(entries.count)
        let (root, wide) = (Double(shape.headDimension).squareRoot(), Double(shape.headDimension + 4))
        let largest = entries.reduce(abs(sink.isFinite ? sink : 0)) { max($0, $1.size) }
        // SEMANTICS has √D here. A sequential float sum that starts with one large term passes it, up to 1.6 times in 12,500 cases
        // (bf16, D = 192, a common offset of 7·10³): the terms behind it are all rounded to the large one's last place.
        logSumExp[row] = Expected(value: lse, det: u * (3 * root * largest + 4 * abs(lse) + count.squareRoot() + 10))
        var sizes = sinkWeight / sum * abs(sink.isFinite ? sink : 0)
        var gaps = sinkWeight / sum * (sink.isFinite ? highest - sink : 0)
        for (entry, weight) in zip(entries, weights) {
            sizes += weight / sum * entry.size
            gaps += weight / sum * (highest - entry.score)
        }
        let ordered = entries.map(\.score).sorted(by: >)
        let lead = ordered[0] - max(ordered.count > 1 ? ordered[1] : -.infinity, sink)
        for d in 0..<columns {
            var (o, a, c1, c2, all) = (0.0, 0.0, 0.0, 0.0, 1.0)
            for (entry, weight) in zip(entries, weights) {
                let v = reader.value(batch, group, entry.key, d)
                let share = weight / sum * v
                o += share
                a += abs(share)
                all += abs(v)
                c1 += abs(share) * entry.size
                c2 += abs(share) * (highest - entry.score)
            }
            c1 += abs(o) * sizes
            c2 += abs(o) * gaps
            // Probabilities and products that were flushed to zero: one each a key.
            let flushed = Self.smallest * all
            output[row * columns + d] = Expected(
                value: o, det: u * (wide * c1 + 4 * c2 + 2 * (count + 12) * a) + flushed,
                acc: u * (root * c1 + 2 * c2 + (count.squareRoot() + 10) * a) + flushed, isExact: lead > 110)
        }
        guard problem.scores == .probabilities else { return }
        for (entry, weight) in zip(entries, weights) {
            let p = weight / sum
            let (c1, c2) = (p * entry.size + p * sizes, p * (highest - entry.score) + p * gaps)
            scores[row * shape.keyLength + entry.key] = Expected(
                value: p, det: u * (wide * c1 + 4 * c2 + 2 * (count + 12) * p) + Self.smallest,
                acc: u * (root * c1 + 2 * c2 + (count.squareRoot() + 10) * p))
        }
    }
}
