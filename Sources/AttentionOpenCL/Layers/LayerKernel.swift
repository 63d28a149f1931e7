import KernelCalls
import OpenCLRuntime

/// A kernel of layers with all that its text is compiled with. Two equal ones are the same program.
enum LayerKernel: Codable, Hashable, Sendable {
    /// Steps that go row by row, whose text serves both families: `items` work-items share a row.
    enum RowStep: String, Codable, Hashable, Sendable {
        case normalization, embedding, rotary, pooling, selection
    }

    case linearWide(lanes: Int, weight: KernelStorage, hasFlatMemory: Bool)
    case linearTiled(tiles: GroupTiles, weight: KernelStorage, fuses: Bool, subGroup: Int?)
    case linearFew(tiles: FewRowTiles, weight: KernelStorage, fuses: Bool, subGroup: Int?)
    case additiveWide(lanes: Int, hasShuffles: Bool)
    case additiveTiled(items: Int, lanes: Int, fuses: Bool, subGroup: Int?)
    case rows(RowStep, lanes: Int, items: Int, fuses: Bool)
    case copy(elementBytes: Int, items: Int)

    /// The entry point, which is the file's name too.
    var name: String {
        switch self {
        case .linearWide: "linear_wide"
        case .linearTiled: "linear_tiled"
        case .linearFew: "linear_few_tiled"
        case .additiveWide: "additive_wide"
        case .additiveTiled: "additive_tiled"
        case .rows(.normalization, _, _, _): "layer_norm"
        case .rows(.embedding, _, _, _): "embedding"
        case .rows(.rotary, _, _, _): "rotary"
        case .rows(.pooling, _, _, _): "pool"
        case .rows(.selection, _, _, _): "select_top"
        case .copy: "copy"
        }
    }

    /// Numbers to a vector of the family that it belongs to; 1 for the tiled one.
    var width: Int {
        switch self {
        case .linearWide(let lanes, _, _), .additiveWide(let lanes, _), .rows(_, let lanes, _, _): lanes
        case .linearTiled, .linearFew, .additiveTiled, .copy: 1
        }
    }

    /// Work-items of a work-group.
    var group: Int {
        switch self {
        case .linearWide, .additiveWide: 1
        case .linearTiled(let tiles, _, _, _): tiles.group
        case .linearFew(let tiles, _, _, _): tiles.group
        case .additiveTiled(let items, _, _, _): items
        case .rows(_, _, let items, _): items
        case .copy(_, let items): items
        }
    }

    var definitions: [(name: String, value: BuildOptions.Value)] {
        switch self {
        case .linearWide(let lanes, let weight, let hasFlatMemory):
            let tiles = LinearTiles.table.first { $0.lanes == lanes } ?? LinearTiles.table[0]
            return [
                ("LANES", .integer(Int64(tiles.lanes))), ("VECTORS", .integer(Int64(tiles.vectors))),
                ("TILE_M", .integer(Int64(tiles.tileRows))), ("CHUNK", .integer(Int64(LinearTiles.chunk))),
                ("W_STORAGE", .identifier(weight.rawValue)), ("HAS_FLAT_MEMORY", .integer(hasFlatMemory ? 1 : 0)),
            ]
        case .linearTiled(let tiles, let weight, let fuses, let subGroup):
            return [
                ("ITEMS_M", .integer(Int64(tiles.itemsM))), ("ITEMS_N", .integer(Int64(tiles.itemsN))),
                ("CHUNK", .integer(Int64(tiles.chunk))), ("PART", .integer(Int64(GroupTiles.part))),
                ("W_STORAGE", .identifier(weight.rawValue)), ("FUSES", .integer(fuses ? 1 : 0)),
            ] + Self.subGroup(subGroup)
        case .linearFew(let tiles, let weight, let fuses, let subGroup):
            return [
                ("ROWS", .integer(Int64(tiles.rows))), ("TILE_N", .integer(Int64(tiles.columns))),
                ("PARTS", .integer(Int64(tiles.parts))), ("CHUNK", .integer(Int64(FewRowTiles.chunk))),
                ("PART", .integer(Int64(GroupTiles.part))),
                ("W_STORAGE", .identifier(weight.rawValue)), ("FUSES", .integer(fuses ? 1 : 0)),
            ] + Self.subGroup(subGroup)
        case .additiveWide(let lanes, let hasShuffles):
            return [("LANES", .integer(Int64(lanes))), ("HAS_SHUFFLES", .integer(hasShuffles ? 1 : 0))]
        case .additiveTiled(let items, let lanes, let fuses, let subGroup):
            return [
                ("GROUP", .integer(Int64(items))), ("LANES", .integer(Int64(lanes))),
                ("CHUNK", .integer(Int64(AdditiveTiles.chunk))), ("FUSES", .integer(fuses ? 1 : 0)),
            ] + Self.subGroup(subGroup)
        case .rows(_, let lanes, let items, let fuses):
            return [
                ("LANES", .integer(Int64(lanes))), ("ITEMS", .integer(Int64(items))),
                ("FUSES", .integer(fuses ? 1 : 0)),
            ]
        case .copy(let elementBytes, let items):
            let element =
                elementBytes == 1 ? "uchar" : elementBytes == 2 ? "ushort" : elementBytes == 4 ? "uint" : "ulong"
            return [("ELEMENT", .identifier(element)), ("ITEMS", .integer(Int64(items)))]
        }
    }

    private static func subGroup(_ size: Int?) -> [(name: String, value: BuildOptions.Value)] {
        size.map { [("SUB_GROUP", .integer(Int64($0)))] } ?? []
    }
}
