/// Tile sizes of `flash_tiled`. A device takes the first row that fits its local memory, its work-groups, and what its
/// compiler leaves of them.
public struct TiledTiles: Hashable, Sendable {
    /// Work-items along the queries, and along keys and columns.
    public let itemsQ: Int
    public let itemsC: Int
    /// Fours of queries and of keys of a work-item.
    public let queryVectors: Int
    public let keyVectors: Int
    /// Depths, and keys of values, that are in local memory at once.
    public let chunk: Int
    /// Device, figure and date behind the choice.
    public let measured: String

    /// Floats in one vector of the text.
    private static let lanes = 4
    /// Most fours of value columns of a work-item: more would not stay in registers.
    public static let mostValueVectors = 4

    public init(itemsQ: Int, itemsC: Int, queryVectors: Int, keyVectors: Int, chunk: Int, measured: String) {
        self.itemsQ = itemsQ
        self.itemsC = itemsC
        self.queryVectors = queryVectors
        self.keyVectors = keyVectors
        self.chunk = chunk
        self.measured = measured
    }

    /// Work-items of a work-group.
    public var group: Int { itemsQ * itemsC }
    /// Queries in a tile.
    public var tileQ: Int { Self.lanes * queryVectors * itemsQ }
    /// Keys in a tile.
    public var tileK: Int { Self.lanes * keyVectors * itemsC }
    /// Value columns of a work-group whose work-items have `vectors` fours each.
    public func columns(_ vectors: Int) -> Int { Self.lanes * vectors * itemsC }

    /// Fours of columns of a work-item for `columns` value columns; those that do not fit are another work-group's.
    public func valueVectors(_ columns: Int) -> Int {
        let needed = (max(columns, 1) + self.columns(1) - 1) / self.columns(1)
        // Powers of two, so that many dimensions share a program.
        return needed <= 1 ? 1 : needed <= 2 ? 2 : Self.mostValueVectors
    }

    /// Local memory of a work-group, in bytes: as FIRST_VECTORS and SECOND_VECTORS of stages.clh, and two flags.
    public func localBytes(valueVectors: Int) -> Int {
        let staged = chunk * (tileQ + tileK + 2 * Self.lanes), weights = tileK * tileQ
        let values = chunk * columns(valueVectors), reduced = itemsC * tileQ
        return (max(staged, weights) + max(values, reduced)) * MemoryLayout<Float>.stride
            + 2 * MemoryLayout<Int32>.stride
    }

    public static let table: [TiledTiles] = [
        TiledTiles(
            itemsQ: 16, itemsC: 16, queryVectors: 1, keyVectors: 1, chunk: 16,
            measured: "8 products to a load from local memory, 20 KiB of it; not measured on a GPU"),
        TiledTiles(
            itemsQ: 8, itemsC: 8, queryVectors: 1, keyVectors: 1, chunk: 16,
            measured: "for 64 work-items or 16 KiB of local memory; not measured on a GPU"),
        TiledTiles(
            itemsQ: 4, itemsC: 8, queryVectors: 1, keyVectors: 1, chunk: 16,
            measured: "for 32 work-items; not measured on a GPU"),
        TiledTiles(
            itemsQ: 4, itemsC: 4, queryVectors: 1, keyVectors: 1, chunk: 16,
            measured: "for 16 work-items; not measured on a GPU"),
    ]

    /// The rows that fit a device, the best first.
    public static func rows(largestGroup: Int, localBytes: Int, columns: Int) -> [TiledTiles] {
        table.filter {
            $0.group <= largestGroup && $0.localBytes(valueVectors: $0.valueVectors(columns)) <= localBytes
        }
    }
}
