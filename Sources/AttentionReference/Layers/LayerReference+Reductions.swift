import AttentionCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

extension LayerReference {
    static func selection(_ step: SelectionOperation, _ withBounds: Bool) throws(AttentionError) -> [LayerResult] {
        let logits = try ReferenceMatrix(step.logits)
        var indices = LayerResult(name: "indices", target: step.indices.tensor, values: [], allowances: [])
        var values = LayerResult(name: "values", target: step.values.tensor, values: [], allowances: [])
        let n = Double(step.columns)
        for row in 0..<step.rows {
            let x = Array(logits.row(row))
            // NaN is behind −∞: nothing is less than it.
            let order = x.indices.sorted { a, b in
                if x[a].isNaN || x[b].isNaN { return x[a].isNaN == x[b].isNaN ? a < b : x[b].isNaN }
                return x[a] == x[b] ? a < b : x[a] > x[b]
            }
            let largest = x[order[0]]
            let isUsual = largest.isFinite && !x.contains { $0.isNaN }
            let logSum = isUsual ? largest + log(x.reduce(0) { $0 + exp($1 - largest) }) : .nan
            for place in order.prefix(step.count) {
                let value = x[place] - logSum
                indices.values.append(Double(place))
                values.values.append(value)
                guard withBounds else { continue }
                indices.allowances.append(0)
                let off = 3 * n.squareRoot() + 12 + 4 * abs(value) + 2 * abs(x[place]) + 2 * abs(largest)
                values.allowances.append(value.isFinite ? u * off : 0)
            }
        }
        return [indices, values]
    }

    static func pooling(_ step: PoolingOperation, _ withBounds: Bool) throws(AttentionError) -> LayerResult {
        let input = try ReferenceMatrix(step.input)
        var result = LayerResult(name: "output", target: step.output.tensor, values: [], allowances: [])
        for (start, end) in zip(step.offsets, step.offsets.dropFirst()) {
            let rows = (Int(start)..<Int(end)).map { input.row($0) }
            let count = Double(rows.count)
            var vector = [Double](repeating: 0, count: step.columns)
            var off = vector
            for column in vector.indices {
                let numbers = rows.map { $0[$0.startIndex + column] }
                switch step.kind {
                case .mean:
                    vector[column] = rows.isEmpty ? 0 : numbers.reduce(0, +) / count
                    let size = numbers.reduce(0) { $0 + abs($1) } / max(count, 1)
                    off[column] = u * (3 * count.squareRoot() + 6) * size + Contract.smallestNormal
                case .cls: vector[column] = numbers.first ?? 0
                // One NaN makes the column NaN.
                case .max:
                    vector[column] =
                        numbers.isEmpty ? 0 : numbers.reduce(-.infinity) { $0.isNaN || $1.isNaN ? .nan : max($0, $1) }
                }
            }
            if step.isNormalized {
                let length = max(vector.reduce(0) { $0 + $1 * $1 }.squareRoot(), 1e-12)
                let wide = off.reduce(0) { $0 + $1 * $1 }.squareRoot() / length
                for column in vector.indices {
                    vector[column] /= length
                    let own = u * (3 * Double(step.columns).squareRoot() + 12) * abs(vector[column])
                    off[column] = off[column] / length + wide * abs(vector[column]) + own + Contract.smallestNormal
                }
            }
            result.values += vector
            if withBounds { result.allowances += off }
        }
        return result
    }
}
