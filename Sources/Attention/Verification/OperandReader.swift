import AttentionCore

/// Reads the operands of a call in host memory as `Double`.
struct OperandReader {
    /// Whether a mask excludes a pair, and what it adds.
    struct MaskEntry {
        var isExcluded = false
        var added = 0.0
    }

    private let problem: AttentionProblem
    private let inputs: AttentionInputs
    private let queries: [Double]
    private let keys: [Double]
    private let values: [Double]

    init(_ problem: AttentionProblem, _ inputs: AttentionInputs) {
        self.problem = problem
        self.inputs = inputs
        let shape = problem.shape
        func gather(
            _ past: Tensor?, _ new: Tensor, _ view: HeadView, heads: Int, rows: Int, columns: Int
        ) -> [Double] {
            var result = [Double](repeating: 0, count: shape.batch * heads * rows * columns)
            let pastRows = past?.shape[2] ?? 0
            var place = 0
            for b in 0..<shape.batch {
                for h in 0..<heads {
                    for row in 0..<rows {
                        for column in 0..<columns {
                            if let past, row < pastRows {
                                let s = past.strides
                                let index = past.layout.offset + b * s[0] + h * s[1] + row * s[2] + column * s[3]
                                result[place] = Self.load(past, index)
                            } else {
                                result[place] = Self.load(new, view.index(b, h, row - pastRows, column))
                            }
                            place += 1
                        }
                    }
                }
            }
            return result
        }
        queries = gather(
            nil, inputs.query, problem.query, heads: shape.queryHeads, rows: shape.queryLength,
            columns: shape.headDimension)
        keys = gather(
            inputs.pastKey, inputs.key, problem.key, heads: shape.keyValueHeads, rows: shape.keyLength,
            columns: shape.headDimension)
        values = gather(
            inputs.pastValue, inputs.value, problem.value, heads: shape.keyValueHeads, rows: shape.keyLength,
            columns: shape.valueDimension)
    }

    private static func load(_ tensor: Tensor, _ index: Int) -> Double {
        tensor.storage.hostBytes?.baseAddress.map { tensor.elementType.load($0, index) } ?? .nan
    }

    /// Where a row of queries begins.
    func query(_ b: Int, _ h: Int, _ row: Int) -> Int {
        ((b * problem.shape.queryHeads + h) * problem.shape.queryLength + row) * problem.shape.headDimension
    }

    /// `q·k` and the sum of its terms' sizes.
    func dot(_ query: Int, _ b: Int, _ group: Int, _ key: Int) -> (Double, Double) {
        let columns = problem.shape.headDimension
        let start = ((b * problem.shape.keyValueHeads + group) * problem.shape.keyLength + key) * columns
        var (sum, size) = (0.0, 0.0)
        for d in 0..<columns {
            let term = queries[query + d] * keys[start + d]
            sum += term
            size += abs(term)
        }
        return (sum, size)
    }

    func value(_ b: Int, _ group: Int, _ key: Int, _ d: Int) -> Double {
        let line = (b * problem.shape.keyValueHeads + group) * problem.shape.keyLength + key
        return values[line * problem.shape.valueDimension + d]
    }

    func mask(_ b: Int, _ h: Int, _ row: Int, _ key: Int) -> MaskEntry {
        guard let tensor = inputs.mask.tensor, let view = problem.mask else { return MaskEntry() }
        guard key < problem.maskKeys else { return MaskEntry(isExcluded: true) }
        let entry = Self.load(tensor, view.index(b, h, row, key))
        if tensor.elementType == .bool { return MaskEntry(isExcluded: entry == 0) }
        return entry == -.infinity ? MaskEntry(isExcluded: true) : MaskEntry(added: entry)
    }
}
