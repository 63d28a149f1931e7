import AttentionCore

/// Steps that go row by row.
extension LayerCase {
    struct Normalization: LayerCaseMaker {
        var kind = NormalizationOperation.Kind.layer
        var rows, columns: Int
        var values = LayerTensors.Values.normal
        var hasResidual = false
        var hasSum = false
        var hasWeight = false
        /// Whether the sum's place is the residual's, and the output's that of the input.
        var isInPlace = false
        var gap = 0

        func make(_ tensors: inout LayerTensors) throws(AttentionError) -> LayerOperation {
            let shape = [rows, columns]
            let weight = hasWeight ? try tensors.input([columns]) : nil
            let bias = hasWeight ? try tensors.input([columns]) : nil
            let (input, output): (Tensor, Tensor)
            var (residual, sum): (Tensor?, Tensor?)
            if isInPlace {
                input = try tensors.operandAndOutput(shape, gap: gap, values)
                output = input
                if hasResidual { residual = try tensors.operandAndOutput(shape, gap: gap + 1, values) }
                sum = hasSum ? residual : nil
            } else {
                input = try tensors.input(shape, gap: gap, values)
                output = try tensors.output(shape, gap: gap)
                if hasResidual { residual = try tensors.input(shape, gap: gap + 1, values) }
                if hasSum { sum = try tensors.output(shape, gap: gap + 2) }
            }
            return .normalization(
                try NormalizationOperation(
                    kind, input: input, residual: residual, weight: weight, bias: bias, epsilon: 1e-5, sum: sum,
                    output: output))
        }
    }

    struct Embedding: LayerCaseMaker {
        private static let entries = 7
        var rows, columns: Int
        /// Of each table.
        var types: [ElementType]
        var gap = 0

        func make(_ tensors: inout LayerTensors) throws(AttentionError) -> LayerOperation {
            var terms: [EmbeddingOperation.Term] = []
            for (index, type) in types.enumerated() {
                terms.append(
                    try .init(
                        table: try tensors.input([Self.entries, columns], gap: gap + index, type: type),
                        indices: tensors.indices(rows, below: Self.entries), scale: [2.5, 0.5, 0.75][index % 3]))
            }
            return .embedding(try EmbeddingOperation(terms, output: try tensors.output([rows, columns], gap: gap)))
        }
    }

    struct Rotary: LayerCaseMaker {
        var length, pairs: Int
        /// Numbers behind the last pair.
        var rest = 0
        var pairing = RotaryOperation.Pairing.halves
        var isInPlace = false
        var gap = 0

        func make(_ tensors: inout LayerTensors) throws(AttentionError) -> LayerOperation {
            let shape = [2, 3, length, 2 * pairs + rest]
            let output = isInPlace ? try tensors.operandAndOutput(shape, gap: gap) : try tensors.output(shape, gap: gap)
            return .rotary(
                try RotaryOperation(
                    input: isInPlace ? output : try tensors.input(shape, gap: gap + 1),
                    cosines: try tensors.input([length + 5, pairs], gap: 1),
                    sines: try tensors.input([length + 5, pairs], gap: 2), starts: [0, 5], pairing: pairing,
                    output: output))
        }
    }

    struct Selection: LayerCaseMaker {
        var rows, columns, count: Int
        var values = LayerTensors.Values.normal

        func make(_ tensors: inout LayerTensors) throws(AttentionError) -> LayerOperation {
            .selection(
                try SelectionOperation(
                    logits: try tensors.input([rows, columns], gap: 1, values), count: count,
                    indices: try tensors.output([rows, count], gap: 2, type: .int32),
                    values: try tensors.output([rows, count], gap: 1)))
        }
    }

    struct Pooling: LayerCaseMaker {
        var kind: PoolingOperation.Kind
        /// Rows of each sequence.
        var counts: [Int]
        var columns: Int
        var values = LayerTensors.Values.normal
        var isNormalized = false

        func make(_ tensors: inout LayerTensors) throws(AttentionError) -> LayerOperation {
            var offsets: [Int32] = [0]
            for count in counts { offsets.append(offsets[offsets.count - 1] + Int32(count)) }
            let rows = Int(offsets[offsets.count - 1])
            return .pooling(
                try PoolingOperation(
                    kind, input: try tensors.input([rows, columns], gap: 2, values), offsets: offsets,
                    isNormalized: isNormalized, output: try tensors.output([counts.count, columns], gap: 1)))
        }
    }

    struct Copy: LayerCaseMaker {
        enum Source: String, CaseIterable, Sendable {
            case zeros, plain, gathered, transposed
        }

        var shape: [Int]
        var type = ElementType.float32
        var source = Source.plain

        func make(_ tensors: inout LayerTensors) throws(AttentionError) -> LayerOperation {
            let target = try tensors.output(shape, gap: 3, type: type)
            // Any number but 0 is the same truth.
            let values: LayerTensors.Values = type == .bool ? .tied : .normal
            if source == .zeros { return .copy(try CopyOperation(source: nil, target: target)) }
            if source == .transposed {
                let turned = try tensors.input([shape[0], shape[1], shape[3], shape[2]], gap: 1, values, type: type)
                return .copy(try CopyOperation(source: try turned.permuted([0, 1, 3, 2]), target: target))
            }
            let entries = source == .gathered ? (0..<shape[0]).map { Int32(shape[0] - 1 - $0) } : nil
            return .copy(
                try CopyOperation(
                    source: try tensors.input(shape, gap: 1, values, type: type), entries: entries, target: target))
        }
    }
}
