import AttentionCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

extension LayerReference {
    static func additive(
        _ step: AdditiveAttentionOperation, _ control: RunControl, _ withBounds: Bool
    ) throws(AttentionError) -> [LayerResult] {
        let (q, k, v) = (try step.query.doubles(), try step.key.doubles(), try step.value.doubles())
        let weight = try step.weight.doubles()
        var output = LayerResult(name: "output", target: step.output, values: [], allowances: [])
        var shares = step.probabilities.map {
            LayerResult(name: "probabilities", target: $0, values: [], allowances: [])
        }
        for batch in 0..<step.batch {
            let keys = step.keyLengths[batch]
            for query in 0..<step.queries {
                try control.check()
                let first = (batch * step.queries + query) * step.width
                var row = AdditiveRow(growth: 3 * Double(step.width).squareRoot())
                for key in 0..<keys {
                    let other = (batch * step.keys + key) * step.width
                    row.add(q[first..<first + step.width], k[other..<other + step.width], weight)
                }
                row.normalize()
                for column in 0..<step.columns {
                    let values = (0..<keys).map { v[(batch * step.keys + $0) * step.columns + column] }
                    output.values.append(zip(row.shares, values).reduce(0) { $0 + $1.0 * $1.1 })
                    if withBounds { output.allowances.append(row.allowance(values)) }
                }
                let padding = step.keys - keys
                shares?.values += row.shares + [Double](repeating: 0, count: padding)
                if withBounds {
                    shares?.allowances += row.shareAllowances + [Double](repeating: 0, count: padding)
                }
            }
        }
        return [output] + (shares.map { [$0] } ?? [])
    }
}

/// The scores of one query, and what they may be off by.
private struct AdditiveRow {
    let growth: Double
    var shares: [Double] = []
    private var scores: [Double] = []
    /// In units of u.
    private var off: [Double] = []

    init(growth: Double) { self.growth = growth }

    mutating func add(_ query: ArraySlice<Double>, _ key: ArraySlice<Double>, _ weight: [Double]) {
        var (score, size, slopes) = (0.0, 0.0, 0.0)
        for ((q, k), w) in zip(zip(query, key), weight) {
            let t = tanh(q + k)
            score += w * t
            size += abs(w * t)
            slopes += abs(w) * (6 * abs(t) + (1 - t * t) * (abs(q) + abs(k)))
        }
        scores.append(score)
        off.append(growth * size + slopes)
    }

    mutating func normalize() {
        guard let largest = scores.max() else { return }
        let isUsual = !scores.contains { $0.isNaN }
        for (index, score) in scores.enumerated() { off[index] += 4 * abs(largest - score) }
        let weights = scores.map { isUsual ? exp($0 - largest) : .nan }
        let sum = weights.reduce(0, +)
        shares = weights.map { $0 / sum }
    }

    private var meanOff: Double { zip(shares, off).reduce(0) { $0 + $1.0 * $1.1 } }
    private var sums: Double { 3 * Double(shares.count).squareRoot() + 12 }

    func allowance(_ values: [Double]) -> Double {
        var (output, size, spread) = (0.0, 0.0, 0.0)
        for ((share, value), off) in zip(zip(shares, values), off) {
            output += share * value
            size += share * abs(value)
            spread += share * off * abs(value)
        }
        let allowed = LayerReference.u * (3 * spread + 3 * abs(output) * meanOff + sums * size)
        return allowed.isNaN ? 0 : allowed + Contract.smallestNormal * Double(values.count + 2)
    }

    var shareAllowances: [Double] {
        let mean = meanOff
        return zip(shares, off).map { share, off in
            let allowed = LayerReference.u * share * (3 * off + 3 * mean + sums)
            return allowed.isNaN ? 0 : allowed + Contract.smallestNormal
        }
    }
}
