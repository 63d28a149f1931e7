import AttentionCore

/// What bounds the errors of products in half precision (see ``Contract``): sums and sizes of the operands' rows.
struct HalfFacts: Sendable {
    /// Half a unit in the last place of half precision.
    static let u = 0x1p-11
    /// Roundings that meet in a sum of 8 products: of both factors, and 8 of the sums. One more stands for what these multiply to.
    static let roundings = 11.0
    /// The smallest normal number of half precision. Devices may flush smaller ones to zero.
    static let smallestNormal = 0x1p-14
    /// Sizes of a Σ|scale·q·k| and of its factors up to which half precision can hold them, in units of log₂ too.
    static let largestScore = 41_000.0
    /// Sizes of values up to which a sum of 8 can be held.
    static let largestValue = 8_000.0

    private let columns: Int
    /// Σ_d |x_d| and the largest finite |x_d| of each key, and the largest finite |v_d| of each value: by batch entry, head and key.
    private let keySums, keyPeaks, valuePeaks: [Double]
    /// Of each query, by batch entry, head and row, and multiplied by |scale|.
    private let querySums, queryPeaks: [Double]

    init(_ problem: AttentionProblem, _ operands: ReferenceOperands) {
        let s = problem.shape
        columns = s.keyLength
        let (depth, scale) = (s.headDimension, abs(problem.scale))
        let rows = s.batch * s.queryHeads * s.queryLength
        (querySums, queryPeaks) = Self.sizes(rows, depth) { scale * operands.query[$0 * depth + $1] }
        let keys = s.batch * s.keyValueHeads * s.keyLength
        (keySums, keyPeaks) = Self.sizes(keys, depth) { key, d in
            let (head, j) = key.quotientAndRemainder(dividingBy: max(s.keyLength, 1))
            return operands.keyTransposed[(head * depth + d) * s.keyLength + j]
        }
        (_, valuePeaks) = Self.sizes(keys, s.valueDimension) { operands.value[$0 * s.valueDimension + $1] }
    }

    private static func sizes(
        _ rows: Int, _ columns: Int, _ element: (Int, Int) -> Double
    ) -> (sums: [Double], peaks: [Double]) {
        var sums = [Double](repeating: 0, count: rows)
        var peaks = sums
        for row in 0..<rows {
            for column in 0..<columns {
                let size = abs(element(row, column))
                guard size.isFinite else { continue }
                sums[row] += size
                if size > peaks[row] { peaks[row] = size }
            }
        }
        return (sums, peaks)
    }

    /// δ: what a score of Σ|scale·q·k| = `size` may be off by, beside what float is. `key` counts the keys of all heads.
    func slack(_ size: Double, row: Int, key: Int, depth: Int) -> Double {
        // Each number below the smallest normal one may vanish, but takes no more along than there is. 3/2 is beyond log₂e.
        let lost = Self.smallestNormal * (keySums[key] + 1.5 * querySums[row] + 2 * Double(depth))
        return Self.roundings * Self.u * size + min(lost, 4 * size)
    }

    /// Whether half precision has room for a score of Σ|scale·q·k| = `size`, its factors and the key's value. NaN is no size.
    func holds(_ size: Double, row: Int, key: Int) -> Bool {
        valuePeaks[key] <= Self.largestValue && keyPeaks[key] <= Self.largestScore
            && queryPeaks[row] <= Self.largestScore && !(size > Self.largestScore)
    }
}

/// The sums that ``Contract`` needs of one row whose products are in half.
struct HalfRow {
    /// Σ p·e^−δ, the sink among them: what the denominator may shrink to.
    private(set) var least = 0.0
    /// Σ p·e^δ, the sink among them.
    private(set) var most = 0.0
    /// The largest share that a key's weight may have.
    private(set) var largestShare = 0.0

    init(_ keys: Range<Int>, _ isAttended: UnsafeMutablePointer<Bool>, weight: (Int) -> (p: Double, slack: Double)) {
        var share = 0.0, total = 0.0
        for j in keys where isAttended[j] {
            let (p, slack) = weight(j)
            guard p > 0 else { continue }
            total += p
            least += p * exponential(-slack)
            most += p * exponential(slack)
            share = max(share, p * exponential(slack))
        }
        let sink = max(1 - total, 0)
        least += sink
        most += sink
        largestShare = min(share / max(least, .leastNormalMagnitude), 1)
    }
}
