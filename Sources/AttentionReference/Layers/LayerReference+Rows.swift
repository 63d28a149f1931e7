import AttentionCore

extension LayerReference {
    static func normalization(
        _ step: NormalizationOperation, _ withBounds: Bool
    ) throws(AttentionError) -> [LayerResult] {
        let input = try ReferenceMatrix(step.input)
        let residual = try Tensor.doubles(step.residual?.tensor, count: input.values.count, default: 0)
        let weight = try Tensor.doubles(step.weight, count: step.columns, default: 1)
        let bias = try Tensor.doubles(step.bias, count: step.columns, default: 0)
        let n = Double(step.columns)
        let growth = 3 * n.squareRoot() + 8
        var output = LayerResult(name: "output", target: step.output.tensor, values: [], allowances: [])
        var sums = step.sum.map { LayerResult(name: "sum", target: $0.tensor, values: [], allowances: []) }
        for row in 0..<step.rows {
            let places = row * step.columns..<(row + 1) * step.columns
            let x = places.map { input.values[$0] + residual[$0] }
            let mean = step.kind == .layer ? x.reduce(0, +) / n : 0
            let variance = x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / n
            let factor = 1 / (variance + Double(step.epsilon)).squareRoot()
            let size = x.reduce(0) { $0 + abs($1) } / n
            for (column, place) in places.enumerated() {
                let value = (x[column] - mean) * factor * weight[column] + bias[column]
                output.values.append(value)
                sums?.values.append(x[column])
                guard withBounds else { continue }
                let terms = abs(input.values[place]) + abs(residual[place])
                let spread = growth * ((step.kind == .layer ? size : 0) + abs(x[column] - mean)) + terms
                let off = abs(weight[column]) * factor * spread + 2 * (abs(value) + abs(bias[column]))
                output.allowances.append(u * off + Contract.smallestNormal)
                sums?.allowances.append(step.residual == nil ? 0 : u * terms)
            }
        }
        return [output] + (sums.map { [$0] } ?? [])
    }

    static func embedding(_ step: EmbeddingOperation, _ withBounds: Bool) throws(AttentionError) -> LayerResult {
        var result = LayerResult(
            name: "output", target: step.output.tensor,
            values: [Double](repeating: 0, count: step.rows * step.columns), allowances: [])
        if withBounds { result.allowances = result.values }
        for term in step.terms {
            let table = try ReferenceMatrix(term.table)
            for (row, index) in term.indices.enumerated() {
                for (column, entry) in table.row(Int(index)).enumerated() {
                    let value = Double(term.scale) * entry
                    result.values[row * step.columns + column] += value
                    guard withBounds else { continue }
                    result.allowances[row * step.columns + column] += u * Double(step.terms.count + 1) * abs(value)
                }
            }
        }
        return result
    }

    static func rotary(_ step: RotaryOperation, _ withBounds: Bool) throws(AttentionError) -> LayerResult {
        let cosines = try ReferenceMatrix(step.cosines)
        let sines = try ReferenceMatrix(step.sines)
        var result = LayerResult(
            name: "output", target: step.output, values: try step.input.doubles(), allowances: [])
        if withBounds { result.allowances = [Double](repeating: 0, count: result.values.count) }
        let (heads, length, dimension) = (step.input.shape[1], step.input.shape[2], step.input.shape[3])
        for row in 0..<step.input.shape[0] * heads * length {
            let position = Int(step.starts[row / (heads * length)]) + row % length
            for pair in 0..<step.pairs {
                let first = row * dimension + (step.pairing == .halves ? pair : 2 * pair)
                let second = first + (step.pairing == .halves ? step.pairs : 1)
                let (cosine, sine) = (
                    cosines.values[position * step.pairs + pair], sines.values[position * step.pairs + pair]
                )
                let (x, y) = (result.values[first], result.values[second])
                result.values[first] = x * cosine - y * sine
                result.values[second] = x * sine + y * cosine
                guard withBounds else { continue }
                result.allowances[first] = 4 * u * (abs(x * cosine) + abs(y * sine)) + Contract.smallestNormal
                result.allowances[second] = 4 * u * (abs(x * sine) + abs(y * cosine)) + Contract.smallestNormal
            }
        }
        return result
    }

    static func copy(_ step: CopyOperation, _ withBounds: Bool) throws(AttentionError) -> LayerResult {
        var values = [Double](repeating: 0, count: step.target.count)
        if let source = step.source {
            values = try source.doubles()
            if let entries = step.entries, let count = source.shape.first, count > 0 {
                let each = values.count / count
                values = entries.flatMap { values[Int($0) * each..<(Int($0) + 1) * each] }
            }
        }
        return LayerResult(
            name: "target", target: step.target, values: values,
            allowances: withBounds ? [Double](repeating: 0, count: values.count) : [])
    }
}
