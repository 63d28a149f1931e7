import AttentionCore

/// The steps of layers that a verification runs, all of them drawn from `(cases, seed)`: each size and option in turn, combined by
/// chance.
enum LayerCaseList {
    private static let lengths = [1, 2, 3, 8, 17, 65]
    private static let widths = [1, 7, 16, 33, 64, 130]
    /// Some are more than a work-item has panels of.
    private static let outputs = [1, 7, 16, 33, 600, 64, 130]
    /// Some are more than a kernel sums up before it comes to the total.
    private static let depths = [1, 7, 390, 33, 64, 1100, 130]
    private static let types: [ElementType] = [.float32, .float16, .bfloat16]

    static func cases(_ cases: VerificationOptions.Cases, seed: UInt64) -> [LayerCase] {
        var draw = Draw(random: SeededGenerator(seed: seed, id: "layers"))
        let rounds = cases == .full ? 8 : 1
        var all: [LayerCase] = []
        for round in 0..<rounds {
            for turn in 0..<24 { all.append(linear(&draw, turn + 24 * round)) }
            for turn in 0..<8 { all.append(normalization(&draw, turn + 8 * round)) }
            for turn in 0..<6 { all.append(embedding(&draw, turn + 6 * round)) }
            for turn in 0..<8 {
                all.append(rotary(&draw, turn + 8 * round))
                all.append(additive(&draw, turn + 8 * round))
                all.append(selection(&draw, turn + 8 * round))
                all.append(pooling(&draw, turn + 8 * round))
                all.append(copy(&draw, turn + 8 * round))
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

    private static func named(
        _ name: String, _ parts: [String], _ flags: [(String, Bool)], onDevice isOnDevice: Bool,
        _ maker: any LayerCaseMaker
    ) -> LayerCase {
        let flags = flags + [("device", isOnDevice)]
        return LayerCase(
            id: "layer:\(name):" + (parts + flags.filter(\.1).map(\.0)).joined(separator: "-"),
            isOnDevice: isOnDevice, maker: maker)
    }

    private static func linear(_ draw: inout Draw, _ turn: Int) -> LayerCase {
        var step = LayerCase.Linear(
            rows: draw.pick(lengths, turn, 1), inputs: draw.pick(depths, turn, 3), outputs: draw.pick(outputs, turn, 4))
        step.type = draw.pick(types, turn, 1)
        step.activation = draw.pick(Activation.allCases, turn, 3)
        step.values = turn % 6 == 5 ? .odd : turn % 6 == 4 ? .large : .normal
        // Each activation meets infinities, in rows without the NaN.
        if step.values == .odd { (step.rows, step.activation) = (17, Activation.allCases[(turn / 6 + 1) % 5]) }
        (step.hasBias, step.hasResidual, step.gap) = (draw.chance(), draw.chance(), draw.chance() ? 3 : 0)
        step.isInPlace = step.hasResidual && draw.chance()
        return named(
            "linear",
            [
                "r\(step.rows)i\(step.inputs)o\(step.outputs)", "\(step.type)", "\(step.activation)", "\(step.values)",
                "\(turn)",
            ],
            [
                ("bias", step.hasBias), ("residual", step.hasResidual), ("inplace", step.isInPlace),
                ("gap", step.gap > 0),
            ], onDevice: draw.chance(), step)
    }

    private static func normalization(_ draw: inout Draw, _ turn: Int) -> LayerCase {
        var step = LayerCase.Normalization(rows: draw.pick(lengths, turn, 1), columns: draw.pick(widths, turn, 5))
        step.kind = turn % 3 == 2 ? .rms : .layer
        step.values = [.normal, .small, .normal, .large, .odd][turn % 5]
        (step.hasResidual, step.hasSum, step.hasWeight) = (draw.chance(), draw.chance(), draw.chance())
        if step.kind == .rms { step.hasSum = true }
        (step.isInPlace, step.gap) = (turn % 4 == 1, draw.chance() ? 5 : 0)
        return named(
            "layer_norm", ["r\(step.rows)c\(step.columns)", step.kind.rawValue, "\(step.values)", "\(turn)"],
            [
                ("residual", step.hasResidual), ("sum", step.hasSum), ("weight", step.hasWeight),
                ("inplace", step.isInPlace), ("gap", step.gap > 0),
            ], onDevice: draw.chance(), step)
    }

    private static func embedding(_ draw: inout Draw, _ turn: Int) -> LayerCase {
        let tables = (0...turn % 3).map { _ in draw.pick(types, turn, 1) }
        let step = LayerCase.Embedding(
            rows: draw.pick(lengths, turn, 1), columns: draw.pick(widths, turn, 5), types: tables,
            gap: draw.chance() ? 2 : 0)
        return named(
            "embedding", ["r\(step.rows)c\(step.columns)", tables.map(\.rawValue).joined(separator: "+"), "\(turn)"],
            [("gap", step.gap > 0)], onDevice: draw.chance(), step)
    }

    private static func additive(_ draw: inout Draw, _ turn: Int) -> LayerCase {
        let round = turn / 8
        var step = LayerCase.Additive(
            queries: draw.pick(lengths, turn, 1), keys: [0, 150, 70, 19, 4, 70, 1, 150][turn % 8],
            width: draw.pick(widths, turn, 5), columns: widths[(turn + 1) % widths.count])
        step.hasProbabilities = (turn + round) % 4 < 2
        if (turn + round / 4) % 2 == 0 { step.secondKeys = step.keys / 2 }
        return named(
            "additive", ["q\(step.queries)k\(step.keys)a\(step.width)v\(step.columns)", "\(turn)"],
            [("probabilities", step.hasProbabilities), ("lengths", step.secondKeys != nil)],
            onDevice: draw.chance(), step)
    }

    private static func rotary(_ draw: inout Draw, _ turn: Int) -> LayerCase {
        var step = LayerCase.Rotary(length: draw.pick(lengths, turn, 1), pairs: [4, 1, 33, 16, 1, 33, 16, 4][turn % 8])
        (step.rest, step.gap) = (draw.pick([0, 1, 6], turn, 1), draw.chance() ? 3 : 0)
        step.pairing = turn % 2 == 0 ? .halves : .interleaved
        step.isInPlace = turn % 4 < 2
        return named(
            "rotary", ["l\(step.length)p\(step.pairs)+\(step.rest)", step.pairing.rawValue, "\(turn)"],
            [("inplace", step.isInPlace), ("gap", step.gap > 0)], onDevice: draw.chance(), step)
    }

    private static func selection(_ draw: inout Draw, _ turn: Int) -> LayerCase {
        let columns = draw.pick(widths + [1000], turn, 5)
        let values: [LayerTensors.Values] = [.normal, .tied, .odd, .tied, .normal, .closed, .odd, .large]
        var step = LayerCase.Selection(
            rows: draw.pick(lengths, turn, 1), columns: columns,
            count: min(columns, draw.pick([1, 2, 5, 64], turn, 3)),
            values: values[turn % 8])
        // Some rows have an infinity and no NaN.
        if step.values == .odd { (step.rows, step.count) = (8, min(columns, 5)) }
        return named(
            "select", ["r\(step.rows)c\(columns)n\(step.count)", "\(step.values)", "\(turn)"], [],
            onDevice: draw.chance(), step)
    }

    private static func pooling(_ draw: inout Draw, _ turn: Int) -> LayerCase {
        let kinds = PoolingOperation.Kind.allCases
        var step = LayerCase.Pooling(
            kind: kinds[turn % kinds.count],
            counts: [draw.pick(lengths, turn, 1), turn % 2, draw.pick(lengths, turn, 5)],
            columns: draw.pick(widths, turn, 5))
        // The largest of rows among which is a NaN.
        if turn % 8 == 5 { (step.values, step.counts) = (.odd, [65, 1, 17]) }
        step.isNormalized = turn % 4 < 2
        return named(
            "pool",
            [
                "n\(step.counts.map(String.init).joined(separator: "+"))c\(step.columns)", step.kind.rawValue,
                "\(step.values)", "\(turn)",
            ], [("normalized", step.isNormalized)], onDevice: draw.chance(), step)
    }

    private static func copy(_ draw: inout Draw, _ turn: Int) -> LayerCase {
        let sources = LayerCase.Copy.Source.allCases
        let source = sources[(turn + 1) % sources.count]
        let shape = [
            source == .gathered ? 3 : draw.pick([1, 3], turn, 1), draw.pick([1, 4], turn, 3),
            draw.pick(lengths, turn, 1), 5,
        ]
        let step = LayerCase.Copy(
            shape: shape, type: [.float32, .float16, .bool, .float64][(turn + turn / 4) % 4], source: source)
        return named(
            "copy",
            [
                "\(shape.map(String.init).joined(separator: "x"))", "\(step.type.byteCount)B", step.source.rawValue,
                "\(turn)",
            ], [],
            onDevice: draw.chance(), step)
    }
}
