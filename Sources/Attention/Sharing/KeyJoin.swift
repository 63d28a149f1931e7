#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Joins the results of calls that share their queries and each had a part of the keys.
///
///     logSumExp = log(e^sink + Σ e^logSumExpᵢ)
///     output    = Σ e^(logSumExpᵢ − logSumExp) · outputᵢ
///
/// In `Double`, rounded once. (0, −∞) is the identity. Cost: one pass over the partial results.
///
/// Source: Dao et al. 2022, FlashAttention, arXiv 2205.14135, section 3.1, for the sum over blocks.
struct KeyJoin {
    /// Weights below this are 0, as the kernels' exponentials are: the best key's value stands exactly where others are that far behind.
    private static let leastWeight = 0x1p-126

    private let parts: [(output: Tensor, logSumExp: Tensor)]
    private let sinks: [Double]

    /// - Parameters:
    ///   - parts: Outputs and their `logSumExp`, all of one shape and in host memory, without sinks.
    ///   - sinks: One a head, or none.
    init(_ parts: [AttentionOutputs], sinks: [Double]) throws(AttentionError) {
        self.sinks = sinks
        var found: [(Tensor, Tensor)] = []
        for part in parts {
            guard let logSumExp = part.logSumExp else {
                throw .invalid("logSumExp", .combination, expected: "one of each part of the keys", found: "none")
            }
            found.append((try part.output.onHost(), try logSumExp.onHost()))
        }
        self.parts = found
    }

    func write(to target: AttentionOutputs) throws(AttentionError) {
        let shape = target.output.shape
        let output = try Tensor(uninitialized: TensorLayout(contiguous: shape), target.output.elementType)
        let logSumExp = try Tensor(uninitialized: TensorLayout(contiguous: Array(shape.dropLast())), .float32)
        fill(output, logSumExp)
        try target.output.writeBytes(of: output)
        try target.logSumExp?.writeBytes(of: logSumExp)
    }

    private func fill(_ output: Tensor, _ logSumExp: Tensor) {
        guard output.count > 0, let to = output.storage.hostBytes?.baseAddress,
            let sums = logSumExp.storage.hostBytes?.baseAddress
        else { return }
        let (heads, rows, columns) = (output.shape[1], output.shape[2], output.shape[3])
        var weights = [Double](repeating: 0, count: parts.count)
        var line = [Double](repeating: 0, count: columns)
        for row in 0..<output.shape[0] * heads * rows {
            let (b, h, i) = (row / (heads * rows), row / rows % heads, row % rows)
            let sink = sinks.isEmpty ? -Double.infinity : sinks[h]
            let total = weigh(b, h, i, sink, &weights)
            ElementType.float32.store(total, sums, row)
            for column in 0..<columns { line[column] = 0 }
            // Without any key there is no weight to multiply with.
            if total > -.infinity || total.isNaN {
                for (part, weight) in zip(parts, weights) { Self.add(part.output, b, h, i, weight, &line) }
            }
            for column in 0..<columns { output.elementType.store(line[column], to, row * columns + column) }
        }
        withExtendedLifetime((output, logSumExp, parts)) {}
    }

    /// The weights of the parts in one row, and its `logSumExp`.
    private func weigh(_ b: Int, _ h: Int, _ i: Int, _ sink: Double, _ weights: inout [Double]) -> Double {
        var most = sink
        for (index, part) in parts.enumerated() {
            let view = part.logSumExp
            guard let base = view.storage.hostBytes?.baseAddress else { continue }
            let place = view.layout.offset + b * view.strides[0] + h * view.strides[1] + i * view.strides[2]
            weights[index] = view.elementType.load(base, place)
            // NaN, once there, stays.
            if weights[index] > most || weights[index].isNaN { most = weights[index] }
            if most.isNaN { break }
        }
        guard !most.isNaN else {
            for index in weights.indices { weights[index] = .nan }
            return .nan
        }
        guard most > -.infinity else { return most }
        var sum = exp(sink - most)
        for index in weights.indices {
            weights[index] = exp(weights[index] - most)
            sum += weights[index]
        }
        for index in weights.indices {
            let weight = weights[index] / sum
            weights[index] = weight < Self.leastWeight ? 0 : weight
        }
        return most + log(sum)
    }

    /// A weight of 0 still carries NaN from an attended value.
    private static func add(
        _ output: Tensor, _ b: Int, _ h: Int, _ i: Int, _ weight: Double, _ line: inout [Double]
    ) {
        guard let base = output.storage.hostBytes?.baseAddress else { return }
        let strides = output.strides
        let first = output.layout.offset + b * strides[0] + h * strides[1] + i * strides[2]
        for column in line.indices {
            line[column] += weight * output.elementType.load(base, first + column * strides[3])
        }
    }
}
