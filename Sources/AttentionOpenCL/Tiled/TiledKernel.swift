import KernelCalls
import OpenCLRuntime

/// One specialisation of `flash_tiled`: all that its text is compiled with. Two equal ones are the same program.
struct TiledKernel: Hashable, Sendable {
    let query: KernelStorage
    let value: KernelStorage
    let hasMask: Bool
    let hasShuffles: Bool
    let fuses: Bool
    let subGroups: SubGroups
    let valueVectors: Int
    let tiles: TiledTiles

    var definitions: [(name: String, value: BuildOptions.Value)] {
        let definitions: [(name: String, value: BuildOptions.Value)] = [
            ("ITEMS_Q", .integer(Int64(tiles.itemsQ))), ("ITEMS_C", .integer(Int64(tiles.itemsC))),
            ("QUERY_VECTORS", .integer(Int64(tiles.queryVectors))), ("KEY_VECTORS", .integer(Int64(tiles.keyVectors))),
            ("VALUE_VECTORS", .integer(Int64(valueVectors))), ("CHUNK", .integer(Int64(tiles.chunk))),
            ("Q_STORAGE", .identifier(query.rawValue)), ("V_STORAGE", .identifier(value.rawValue)),
            ("HAS_MASK", .integer(hasMask ? 1 : 0)), ("HAS_SHUFFLES", .integer(hasShuffles ? 1 : 0)),
            ("FUSES", .integer(fuses ? 1 : 0)),
        ]
        let halves: [(name: String, value: BuildOptions.Value)] =
            tiles.hasHalfProducts ? [("HAS_HALF_PRODUCTS", .integer(1))] : []
        return definitions + halves + subGroups.definitions
    }
}
