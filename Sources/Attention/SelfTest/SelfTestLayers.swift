import AttentionCore
import AttentionOpenCL

/// The small steps that a kernel of layers is tried with: sizes that fit no tile, each option that the kernel has a line for.
enum SelfTestLayers {
    static func cases(_ variant: LayerVariant) -> [LayerCase] {
        makers(variant).enumerated().map { index, maker in
            LayerCase(id: "self-test:\(variant.name):\(index)", isOnDevice: index == 0, maker: maker)
        }
    }

    private static func makers(_ variant: LayerVariant) -> [any LayerCaseMaker] {
        switch variant.step {
        case .linear(let type):
            // More inputs than are summed up at a time; more rows and outputs than a tile has.
            [
                LayerCase.Linear(
                    rows: 19, inputs: 530, outputs: 37, type: type, activation: .gelu, hasBias: true, hasResidual: true,
                    gap: 3),
                LayerCase.Linear(rows: 70, inputs: 7, outputs: 70, type: type, activation: .silu, values: .odd),
            ]
        case .normalization:
            [
                LayerCase.Normalization(
                    rows: 5, columns: 133, hasResidual: true, hasSum: true, hasWeight: true, gap: 3),
                LayerCase.Normalization(
                    kind: .rms, rows: 3, columns: 37, hasResidual: true, hasSum: true, isInPlace: true),
            ]
        case .embedding:
            [
                LayerCase.Embedding(rows: 9, columns: 133, types: [.float32, .float16, .bfloat16], gap: 1),
                LayerCase.Embedding(rows: 1, columns: 5, types: [.bfloat16]),
            ]
        case .additiveAttention:
            [
                LayerCase.Additive(
                    queries: 5, keys: 133, width: 37, columns: 70, secondKeys: 61, hasProbabilities: true),
                LayerCase.Additive(queries: 1, keys: 5, width: 8, columns: 3, secondKeys: 0),
            ]
        case .rotary:
            [
                LayerCase.Rotary(length: 5, pairs: 19, rest: 3, pairing: .halves, gap: 3),
                LayerCase.Rotary(length: 3, pairs: 7, rest: 1, pairing: .interleaved, isInPlace: true),
            ]
        case .selection:
            [
                LayerCase.Selection(rows: 3, columns: 301, count: 5),
                LayerCase.Selection(rows: 3, columns: 37, count: 9, values: .tied),
                LayerCase.Selection(rows: 2, columns: 70, count: 3, values: .odd),
            ]
        case .pooling:
            [
                LayerCase.Pooling(kind: .mean, counts: [5, 0, 1, 9], columns: 133),
                LayerCase.Pooling(kind: .max, counts: [9, 2], columns: 37, values: .odd),
                LayerCase.Pooling(kind: .cls, counts: [2, 0, 3], columns: 5, isNormalized: true),
            ]
        case .copy(let elementBytes):
            LayerCase.Copy.Source.allCases.map {
                LayerCase.Copy(shape: [3, 2, 7, 5], type: Self.type(elementBytes), source: $0)
            }
        }
    }

    private static func type(_ elementBytes: Int) -> ElementType {
        switch elementBytes {
        case 1: .bool
        case 2: .float16
        case 8: .float64
        default: .float32
        }
    }
}
