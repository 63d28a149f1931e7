import AttentionCore

/// The steps of layers that a verification runs, all of them drawn from `(cases, seed)`: each size and option in turn, combined by
/// chance.
enum LayerCaseList {
    private static let lengths = [1, 2, 3, 8, 17, 65]
    private static let widths = [1, 5, 16, 33, 64, 130]

    static func cases(_ cases: VerificationOptions.Cases, seed: UInt64) -> [LayerCase] {
        var draw = Draw(random: SeededGenerator(seed: seed, id: "layers"))
        let rounds = cases == .full ? 8 : 1
        var all: [LayerCase] = []
        for round in 0..<rounds {
            for turn in 0..<24 { all.append(linear(&draw, turn + 24 * round)) }
            for turn in 0..<8 { all.append(normalization(&draw, turn + 8 * round)) }
            for turn in 0..<6 {
                all.append(embedding(&draw, turn + 6 * round))
                all.append(additive(&draw, turn + 6 * round))
                all.append(rotary(&draw, turn + 6 * round))
                all.append(selection(&draw, turn + 6 * round))
                all.append(pooling(&draw, turn + 6 * round))
                all.append(copy(&draw, turn + 6 * round))
            }
        }
        return all
    }

    /// Draws options: each in its turn, so that none is left out, in an order that differs from option to option.
    private struct Draw {
        var random: SeededGenerator

        mutating func pick<Choice>(_ choices: [Choice], _ turn: Int, _ step: Int) -> Choice {
            choices[(turn * step + random.below(2)) % choices.count]
        }
        mutating func chance() -> Bool { random.below(2) == 1 }
    }

    private static func named(_ name: String, _ parts: [String], _ flags: [(String, Bool)]) -> (String, Bool) {
        let isOnDevice = flags.contains { $0.0 == "device" && $0.1 }
        return ("layer:\(name):" + (parts + flags.filter(\.1).map(\.0)).joined(separator: "-"), isOnDevice)
    }

    private static func linear(_ draw: inout Draw, _ turn: Int) -> LayerCase {
        let (rows, inputs) = (draw.pick(lengths, turn, 1), draw.pick(widths, turn, 5))
        let (outputs, type) = (draw.pick(widths, turn, 7), draw.pick(Tensor.layerWeightTypes, turn, 1))
        let activation = draw.pick(Activation.allCases, turn, 3)
        let (hasBias, hasResidual, gap) = (draw.chance(), draw.chance(), draw.chance() ? 3 : 0)
        let values: LayerTensors.Values = turn % 6 == 5 ? .odd : turn % 6 == 4 ? .large : .normal
        let (id, isOnDevice) = named(
            "linear", ["r\(rows)i\(inputs)o\(outputs)", "\(type)", "\(activation)", "\(values)", "\(turn)"],
            [("bias", hasBias), ("residual", hasResidual), ("gap", gap > 0), ("device", draw.chance())])
        return LayerCase(id: id, isOnDevice: isOnDevice) { (make) throws(AttentionError) in
            let input = try make.input([rows, inputs], gap: gap, values)
            let bias = hasBias ? try make.input([outputs]) : nil
            let residual = hasResidual ? try make.input([rows, outputs], gap: gap) : nil
            return .linear(
                try LinearOperation(
                    input: input, weight: try make.weight(outputs, inputs, type), bias: bias, activation: activation,
                    residual: residual, output: try make.output([rows, outputs], gap: gap)))
        }
    }

    private static func normalization(_ draw: inout Draw, _ turn: Int) -> LayerCase {
        let (rows, columns) = (draw.pick(lengths, turn, 1), draw.pick(widths, turn, 5))
        let kind: NormalizationOperation.Kind = turn % 3 == 2 ? .rms : .layer
        let (hasResidual, hasSum, hasWeight, gap) = (draw.chance(), draw.chance(), draw.chance(), draw.chance() ? 5 : 0)
        let values: LayerTensors.Values = turn % 5 == 4 ? .odd : turn % 5 == 3 ? .large : .normal
        let (id, isOnDevice) = named(
            "layer_norm", ["r\(rows)c\(columns)", kind.rawValue, "\(values)", "\(turn)"],
            [
                ("residual", hasResidual), ("sum", hasSum), ("weight", hasWeight), ("gap", gap > 0),
                ("device", draw.chance()),
            ])
        return LayerCase(id: id, isOnDevice: isOnDevice) { (make) throws(AttentionError) in
            .normalization(
                try NormalizationOperation(
                    kind, input: try make.input([rows, columns], gap: gap, values),
                    residual: hasResidual ? try make.input([rows, columns], gap: gap) : nil,
                    weight: hasWeight ? try make.input([columns]) : nil,
                    bias: hasWeight ? try make.input([columns]) : nil,
                    epsilon: 1e-5, sum: hasSum ? try make.output([rows, columns], gap: gap) : nil,
                    output: try make.output([rows, columns], gap: gap)))
        }
    }

    private static func embedding(_ draw: inout Draw, _ turn: Int) -> LayerCase {
        let (rows, columns, terms) = (draw.pick(lengths, turn, 1), draw.pick(widths, turn, 5), turn % 3 + 1)
        let (type, gap) = (draw.pick(Tensor.layerWeightTypes, turn, 1), draw.chance() ? 2 : 0)
        let (id, isOnDevice) = named(
            "embedding", ["r\(rows)c\(columns)", "\(terms)", "\(type)", "\(turn)"],
            [("gap", gap > 0), ("device", draw.chance())])
        return LayerCase(id: id, isOnDevice: isOnDevice) { (make) throws(AttentionError) in
            var all: [EmbeddingOperation.Term] = []
            for term in 0..<terms {
                let table = try make.input([7, columns], gap: gap, type: type)
                all.append(try .init(table: table, indices: make.indices(rows, below: 7), scale: term == 0 ? 2.5 : 1))
            }
            return .embedding(try EmbeddingOperation(all, output: try make.output([rows, columns], gap: gap)))
        }
    }

    private static func additive(_ draw: inout Draw, _ turn: Int) -> LayerCase {
        let (queries, keys) = (draw.pick(lengths, turn, 1), draw.pick([0, 1, 4, 19, 70], turn, 3))
        let (width, columns) = (draw.pick(widths, turn, 5), draw.pick(widths, turn, 1))
        let (hasShares, hasLengths) = (draw.chance(), draw.chance())
        let (id, isOnDevice) = named(
            "additive", ["q\(queries)k\(keys)a\(width)v\(columns)", "\(turn)"],
            [("probabilities", hasShares), ("lengths", hasLengths), ("device", draw.chance())])
        return LayerCase(id: id, isOnDevice: isOnDevice) { (make) throws(AttentionError) in
            let lengths = [keys, hasLengths ? keys / 2 : keys]
            return .additiveAttention(
                try AdditiveAttentionOperation(
                    query: try make.input([2, queries, width]), key: try make.padded([2, keys, width], lengths),
                    value: try make.padded([2, keys, columns], lengths), weight: try make.input([width]),
                    keyLengths: lengths, output: try make.output([2, queries, columns], gap: 1),
                    probabilities: hasShares ? try make.output([2, queries, keys], gap: 1) : nil))
        }
    }

    private static func rotary(_ draw: inout Draw, _ turn: Int) -> LayerCase {
        let (length, pairs) = (draw.pick(lengths, turn, 1), draw.pick([1, 4, 16, 33], turn, 3))
        let (rest, gap) = (draw.pick([0, 1, 6], turn, 1), draw.chance() ? 3 : 0)
        let pairing: RotaryOperation.Pairing = draw.chance() ? .halves : .interleaved
        let (id, isOnDevice) = named(
            "rotary", ["l\(length)p\(pairs)+\(rest)", pairing.rawValue, "\(turn)"],
            [("gap", gap > 0), ("device", draw.chance())])
        return LayerCase(id: id, isOnDevice: isOnDevice) { (make) throws(AttentionError) in
            let shape = [2, 3, length, 2 * pairs + rest]
            return .rotary(
                try RotaryOperation(
                    input: try make.input(shape, gap: gap), cosines: try make.input([length + 5, pairs]),
                    sines: try make.input([length + 5, pairs]), starts: [0, 5], pairing: pairing,
                    output: try make.output(shape, gap: gap)))
        }
    }

    private static func selection(_ draw: inout Draw, _ turn: Int) -> LayerCase {
        let (rows, columns) = (draw.pick(lengths, turn, 1), draw.pick(widths + [1000], turn, 5))
        let count = min(columns, draw.pick([1, 2, 5, 64], turn, 3))
        let values: LayerTensors.Values = turn % 4 == 3 ? .odd : .normal
        let (id, isOnDevice) = named(
            "select", ["r\(rows)c\(columns)n\(count)", "\(values)", "\(turn)"], [("device", draw.chance())])
        return LayerCase(id: id, isOnDevice: isOnDevice) { (make) throws(AttentionError) in
            .selection(
                try SelectionOperation(
                    logits: try make.input([rows, columns], gap: 1, values), count: count,
                    indices: try make.output([rows, count], type: .int32), values: try make.output([rows, count])))
        }
    }

    private static func pooling(_ draw: inout Draw, _ turn: Int) -> LayerCase {
        let (columns, kind) = (draw.pick(widths, turn, 5), PoolingOperation.Kind.allCases[turn % 3])
        let counts = [draw.pick(lengths, turn, 1), turn % 2, draw.pick(lengths, turn, 5)]
        let isNormalized = draw.chance()
        let (id, isOnDevice) = named(
            "pool", ["n\(counts.map(String.init).joined(separator: "+"))c\(columns)", kind.rawValue, "\(turn)"],
            [("normalized", isNormalized), ("device", draw.chance())])
        return LayerCase(id: id, isOnDevice: isOnDevice) { (make) throws(AttentionError) in
            let offsets = [0, counts[0], counts[0] + counts[1], counts.reduce(0, +)]
            return .pooling(
                try PoolingOperation(
                    kind, input: try make.input([offsets[3], columns], gap: 2), offsets: offsets.map { Int32($0) },
                    isNormalized: isNormalized, output: try make.output([3, columns], gap: 1)))
        }
    }

    private static func copy(_ draw: inout Draw, _ turn: Int) -> LayerCase {
        let shape = [draw.pick([1, 3], turn, 1), draw.pick([1, 4], turn, 3), draw.pick(lengths, turn, 1), 5]
        let (type, isZero, isGathered) = (draw.pick(Tensor.layerWeightTypes, turn, 1), turn % 6 == 5, draw.chance())
        let (id, isOnDevice) = named(
            "copy", ["\(shape.map(String.init).joined(separator: "x"))", "\(type)", "\(turn)"],
            [("zeros", isZero), ("gathered", isGathered && !isZero), ("device", draw.chance())])
        return LayerCase(id: id, isOnDevice: isOnDevice) { (make) throws(AttentionError) in
            let target = try make.output(shape, gap: 3, type: type)
            if isZero { return .copy(try CopyOperation(source: nil, target: target)) }
            let entries = isGathered ? make.indices(shape[0], below: shape[0]) : nil
            return .copy(
                try CopyOperation(source: try make.input(shape, gap: 1, type: type), entries: entries, target: target))
        }
    }
}

extension LayerTensors {
    /// An operand `[batch, length, width]` whose rows from each length on are NaN.
    fileprivate mutating func padded(_ shape: [Int], _ lengths: [Int]) throws(AttentionError) -> Tensor {
        let tensor = try input(shape)
        for (batch, length) in lengths.enumerated() where length < shape[1] {
            let padding = try tensor.sliced(axis: 0, batch..<batch + 1).sliced(axis: 1, length..<shape[1])
            try padding.write([Double](repeating: .nan, count: padding.count))
        }
        try settle()
        return tensor
    }
}

extension Tensor {
    fileprivate static let layerWeightTypes: [ElementType] = [.float32, .float16, .bfloat16]
}
