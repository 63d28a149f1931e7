import KernelCalls
import OpenCLRuntime

/// One specialisation of `decode_wide` or `merge_wide`: all that its text is compiled with. Two equal ones are the same program.
struct DecodeKernel: Hashable, Sendable {
    enum Step: Hashable, Sendable {
        case decode(query: KernelStorage, value: KernelStorage, rows: Int, tiles: DecodeTiles)
        case merge
    }

    let step: Step
    let lanes: Int
    let room: Int
    let hasShuffles: Bool
    let hasFlatMemory: Bool

    var name: String {
        switch step {
        case .decode: "decode_wide"
        case .merge: "merge_wide"
        }
    }

    var definitions: [(name: String, value: BuildOptions.Value)] {
        let common: [(name: String, value: BuildOptions.Value)] = [
            ("LANES", .integer(Int64(lanes))), ("ROOM", .integer(Int64(room))),
            ("HAS_SHUFFLES", .integer(hasShuffles ? 1 : 0)),
            // For asking for memory ahead: 1,32,8,1,4096,128 reads 15 GB/s without on PoCL, 25 with.
            ("HAS_FLAT_MEMORY", .integer(hasFlatMemory ? 1 : 0)),
        ]
        switch step {
        case .merge: return common
        case .decode(let query, let value, let rows, let tiles):
            return common + [
                ("ROWS", .integer(Int64(rows))), ("BLOCK_ROWS", .integer(Int64(DecodeSplit.blockRows))),
                ("CHUNK_KEYS", .integer(Int64(tiles.chunkKeys))), ("AHEAD", .integer(Int64(tiles.ahead))),
                ("TILE_C", .integer(Int64(tiles.columnVectors))),
                ("Q_STORAGE", .identifier(query.rawValue)),
                ("V_STORAGE", .identifier(value.rawValue)),
            ]
        }
    }
}
