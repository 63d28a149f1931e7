import AttentionCore

/// The numbers of query, key and value before they are rounded to their types, past keys first.
struct OperandValues {
    /// `[batch, head, row, column]` without gaps.
    struct Rows {
        let heads: Int
        let rows: Int
        let columns: Int
        var values: [Double]

        init(_ batch: Int, _ heads: Int, _ rows: Int, _ columns: Int) {
            (self.heads, self.rows, self.columns) = (heads, rows, columns)
            values = [Double](repeating: 0, count: batch * heads * rows * columns)
        }

        func start(_ b: Int, _ h: Int, _ row: Int) -> Int { ((b * heads + h) * rows + row) * columns }

        mutating func fill(_ deviation: Double, _ random: inout SeededGenerator) {
            for index in values.indices { values[index] = deviation * random.normal() }
        }

        mutating func setColumn0(_ value: (Int) -> Double?) {
            guard rows > 0 else { return }
            for line in 0..<values.count / columns {
                if let value = value(line % rows) { values[line * columns] = value }
            }
        }

        /// Makes each row a copy of one of the first `kinds`.
        mutating func repeatRows(_ kinds: Int) {
            guard rows > 0 else { return }
            for line in 0..<values.count / columns where line % rows >= kinds {
                let source = (line - line % rows + line % rows % kinds) * columns
                for column in 0..<columns { values[line * columns + column] = values[source + column] }
            }
        }
    }

    var query: Rows
    var key: Rows
    var value: Rows

    init(_ spec: CaseSpec, _ random: inout SeededGenerator) {
        query = Rows(spec.batch, spec.queryHeads, spec.queryLength, spec.headDimension)
        key = Rows(spec.batch, spec.keyValueHeads, spec.keyLength, spec.headDimension)
        value = Rows(spec.batch, spec.keyValueHeads, spec.keyLength, spec.valueDimension)
        let scale = spec.scale.value ?? 1 / Double(spec.headDimension).squareRoot()
        let size = scale == 0 ? 1 : abs(scale)
        // Both sides by the root of the deviation wanted, where the default scale alone gives deviation 1.
        let deviation = Self.deviation(spec.logits).squareRoot()
        query.fill(deviation, &random)
        key.fill(deviation, &random)
        value.fill(1, &random)
        switch spec.logits {
        case .normal, .deviation16, .deviation1e3, .deviation1e4, .deviation1e5: break
        case .offset:
            let root = (7e3 / size).squareRoot()
            query.setColumn0 { _ in root }
            key.setColumn0 { _ in scale < 0 ? -root : root }
        case .leadFirst, .leadMiddle, .leadLast:
            // 220 ahead of keys whose own scores spread by a few units.
            let root = (220 / size).squareRoot()
            let last = spec.keyLength - 1
            let best = spec.logits == .leadFirst ? 0 : spec.logits == .leadLast ? last : last / 2
            query.setColumn0 { _ in root }
            key.setColumn0 { $0 == best ? (scale < 0 ? -root : root) : 0 }
        case .ties: key.repeatRows(2)
        case .equal: key.repeatRows(1)
        case .denormal:
            // Values stay normal as f32: whether a device keeps smaller ones is not promised. In f16 they are denormal.
            let tiny = spec.queryType == .float16 ? 0x1p-20 : 0x1p-135
            for index in key.values.indices { key.values[index] *= tiny }
            if spec.valueType == .float16 { for index in value.values.indices { value.values[index] *= 0x1p-20 } }
        case .overflow:
            let row = random.below(spec.queryLength)
            for column in 0..<min(spec.headDimension, query.values.count) {
                query.values[row * spec.headDimension + column] *= 2e38
            }
        }
    }

    private static func deviation(_ logits: CaseSpec.Logits) -> Double {
        switch logits {
        case .deviation16: 16
        case .deviation1e3: 1e3
        case .deviation1e4: 1e4
        case .deviation1e5: 1e5
        default: 1
        }
    }
}
