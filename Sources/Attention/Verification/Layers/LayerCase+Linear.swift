import AttentionCore

extension LayerCase {
    struct Linear: LayerCaseMaker {
        var rows, inputs, outputs: Int
        var type = ElementType.float32
        var activation = Activation.none
        var values = LayerTensors.Values.normal
        var hasBias = false
        var hasResidual = false
        /// Whether the residual's place is the output's.
        var isInPlace = false
        var gap = 0

        func make(_ tensors: inout LayerTensors) throws(AttentionError) -> LayerOperation {
            let input = try tensors.input([rows, inputs], gap: gap, values)
            let bias = hasBias ? try tensors.input([outputs]) : nil
            let weight = try tensors.weight(outputs, inputs, type)
            let shape = [rows, outputs]
            let output = isInPlace ? try tensors.operandAndOutput(shape, gap: gap) : try tensors.output(shape, gap: gap)
            var residual: Tensor?
            if hasResidual { residual = isInPlace ? output : try tensors.input(shape, gap: gap + 2) }
            return .linear(
                try LinearOperation(
                    input: input, weight: weight, bias: bias, activation: activation, residual: residual,
                    output: output))
        }
    }

    struct Additive: LayerCaseMaker {
        var queries, keys, width, columns: Int
        /// Keys of the second entry; the first has all.
        var secondKeys: Int?
        var hasProbabilities = false

        func make(_ tensors: inout LayerTensors) throws(AttentionError) -> LayerOperation {
            let lengths = [keys, secondKeys ?? keys]
            return .additiveAttention(
                try AdditiveAttentionOperation(
                    query: try tensors.input([2, queries, width], gap: 2),
                    key: try tensors.padded([2, keys, width], lengths),
                    value: try tensors.padded([2, keys, columns], lengths), weight: try tensors.input([width]),
                    keyLengths: lengths, output: try tensors.output([2, queries, columns], gap: 1),
                    probabilities: hasProbabilities ? try tensors.output([2, queries, keys], gap: 1) : nil))
        }
    }
}

extension LayerTensors {
    /// An operand `[batch, length, width]` whose rows from each length on are NaN.
    fileprivate mutating func padded(_ shape: [Int], _ lengths: [Int]) throws(AttentionError) -> Tensor {
        try input(shape, gap: 1) { (tensor) throws(AttentionError) in
            for (batch, length) in lengths.enumerated() where length < shape[1] {
                let padding = try tensor.sliced(axis: 0, batch..<batch + 1).sliced(axis: 1, length..<shape[1])
                try padding.write([Double](repeating: .nan, count: padding.count))
            }
        }
    }
}
