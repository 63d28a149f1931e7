import AttentionCore
import KernelCalls
import OpenCLRuntime

/// One specialisation of one staged kernel: all that its text is compiled with. Two equal ones are the same program.
struct StagedKernel: Hashable, Sendable {
    enum Step: Hashable, Sendable {
        case scores(KernelStorage?)
        case scoreOutput(KernelStorage?)
        case softmax(hasMask: Bool)
        case weightedSum(value: KernelStorage?, output: KernelStorage?)
    }

    /// Storages are `nil` with vectors: those kernels learn them from the problem, so that one program serves all.
    let step: Step
    let tiles: StagedTiles
    let hasShuffles: Bool

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
        func stored(_ name: String, _ storage: KernelStorage?) -> [(name: String, value: BuildOptions.Value)] {
            storage.map { [(name, .identifier($0.rawValue))] } ?? []
        }
        let shuffles: [(name: String, value: BuildOptions.Value)] = [("HAS_SHUFFLES", .integer(hasShuffles ? 1 : 0))]
        switch step {
        case .scores(let storage):
            return common + shuffles + stored("Q_STORAGE", storage) + [
                ("TILE_K", .integer(Int64(tiles.tileK))), ("DEPTH_CHUNK", .integer(Int64(tiles.depthChunk))),
            ]
        case .scoreOutput(let storage):
            // One program for all modes, and so also for calls without a mask, which it does not read then.
            return common + shuffles + stored("Q_STORAGE", storage) + [("HAS_MASK", .integer(1))]
        case .softmax(let hasMask):
            return common + [("HAS_MASK", .integer(hasMask ? 1 : 0))]
        case .weightedSum(let value, let output):
            return common + shuffles + stored("V_STORAGE", value) + stored("O_STORAGE", output) + [
                ("TILE_V", .integer(Int64(tiles.tileV))), ("TILE_J", .integer(Int64(tiles.tileJ))),
                ("COLUMN_CHUNK", .integer(Int64(tiles.columnChunk))),
            ]
        }
    }
}
