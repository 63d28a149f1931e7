import KernelCalls
import OpenCLRuntime

/// One specialisation of `flash_wide`: all that its text is compiled with. Two equal ones are the same program.
struct FlashKernel: Hashable, Sendable {
    let hasMask: Bool
    let hasShuffles: Bool
    let hasFlatMemory: Bool
    /// Room for the head dimension and for the value dimension: many share a program.
    let room: Int
    let tiles: FlashTiles

    /// Most query tiles of a work-item.
    var blockTiles: Int { FlashBlocks.mostTiles(room: room, tileQ: tiles.tileQ) }

    var definitions: [(name: String, value: BuildOptions.Value)] {
        [
            ("LANES", .integer(Int64(tiles.lanes))), ("QUERY_VECTORS", .integer(Int64(tiles.queryVectors))),
            ("TILE_K", .integer(Int64(tiles.tileK))), ("TILE_V", .integer(Int64(tiles.tileV))),
            ("TILE_J", .integer(Int64(FlashTiles.tileJ))), ("BLOCK_TILES", .integer(Int64(blockTiles))),
            ("ROOM", .integer(Int64(room))), ("HAS_MASK", .integer(hasMask ? 1 : 0)),
            ("HAS_SHUFFLES", .integer(hasShuffles ? 1 : 0)), ("HAS_FLAT_MEMORY", .integer(hasFlatMemory ? 1 : 0)),
        ]
    }
}
