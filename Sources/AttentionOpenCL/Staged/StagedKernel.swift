import AttentionCore
import KernelCalls
import OpenCLRuntime

/// One specialisation of one staged kernel: all that its text is compiled with. Two equal ones are the same program.
struct StagedKernel: Hashable, Sendable {
    enum Step: Hashable, Sendable {
        case scores(KernelStorage)
        case scoreOutput(KernelStorage, hasMask: Bool, ScoreOutput)
        case softmax(hasMask: Bool)
        case weightedSum(value: KernelStorage, output: KernelStorage)
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
        case .scoreOutput(let storage, let hasMask, let scores):
            return common + [
                ("Q_STORAGE", .identifier(storage.rawValue)), ("HAS_MASK", .integer(hasMask ? 1 : 0)),
                ("SCORES", .integer(Int64(scores.rawValue))),
            ]
        case .softmax(let hasMask):
            return common + [("HAS_MASK", .integer(hasMask ? 1 : 0))]
        case .weightedSum(let value, let output):
            return common + [
                ("V_STORAGE", .identifier(value.rawValue)), ("O_STORAGE", .identifier(output.rawValue)),
                ("TILE_V", .integer(Int64(tiles.tileV))), ("TILE_J", .integer(Int64(tiles.tileJ))),
                ("COLUMN_CHUNK", .integer(Int64(tiles.columnChunk))),
            ]
        }
    }
}
