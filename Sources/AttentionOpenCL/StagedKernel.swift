import AttentionCore
import OpenCLRuntime

/// One specialisation of one staged kernel: all that its text is compiled with. Two equal ones are the same program.
struct StagedKernel: Hashable, Sendable {
    enum Step: Hashable, Sendable {
        case scores(Storage)
        case scoreOutput(Storage, Mask, ScoreOutput)
        case softmax(Mask)
        case weightedSum(value: Storage, output: Storage)
        /// Copies elements of a size in bytes.
        case concatenate(elementBytes: Int)
    }

    /// How operands are stored, by the name the text knows.
    enum Storage: String, Hashable, Sendable {
        case f32, f16, bf16

        init?(_ type: ElementType) {
            switch type {
            case .float32: self = .f32
            case .float16: self = .f16
            case .bfloat16: self = .bf16
            case .float64, .bool, .int32, .int64: return nil
            }
        }
    }

    enum Mask: String, Hashable, Sendable {
        case none, bool, f32, f16, bf16

        /// Masks of `float64` are brought to `float32` on the host.
        init(_ type: ElementType?) {
            switch type {
            case .bool: self = .bool
            case .float16: self = .f16
            case .bfloat16: self = .bf16
            case .float32, .float64: self = .f32
            case nil, .int32, .int64: self = .none
            }
        }
    }

    let step: Step
    let tiles: StagedTiles

    /// The entry point, which is the file's name too.
    var name: String {
        switch step {
        case .scores: "scores"
        case .scoreOutput: "score_output"
        case .softmax: "softmax"
        case .weightedSum: "weighted_sum"
        case .concatenate: "concatenate"
        }
    }

    /// The macros the text is compiled with.
    var definitions: [(name: String, value: BuildOptions.Value)] {
        let common: [(name: String, value: BuildOptions.Value)] = [
            ("LANES", .integer(Int64(tiles.lanes))), ("QUERY_VECTORS", .integer(Int64(tiles.queryVectors))),
        ]
        switch step {
        case .scores(let storage):
            return common + [
                ("Q_STORAGE", .identifier(storage.rawValue)), ("TILE_K", .integer(Int64(tiles.tileK))),
                ("DEPTH_CHUNK", .integer(Int64(tiles.depthChunk))),
            ]
        case .scoreOutput(let storage, let mask, let scores):
            return common + [
                ("Q_STORAGE", .identifier(storage.rawValue)), ("MASK_KIND", .identifier(mask.rawValue)),
                ("SCORES", .integer(Int64(scores.rawValue))),
            ]
        case .softmax(let mask):
            return common + [("MASK_KIND", .identifier(mask.rawValue))]
        case .weightedSum(let value, let output):
            return common + [
                ("V_STORAGE", .identifier(value.rawValue)), ("O_STORAGE", .identifier(output.rawValue)),
                ("TILE_V", .integer(Int64(tiles.tileV))), ("TILE_J", .integer(Int64(tiles.tileJ))),
                ("COLUMN_CHUNK", .integer(Int64(tiles.columnChunk))),
            ]
        case .concatenate(let elementBytes):
            return [("ELEMENT", .identifier(elementBytes == 2 ? "ushort" : "uint"))]
        }
    }
}
