/// Tile sizes of `flash_tiled`. A device takes the first row that fits its local memory, its work-groups, and what its
/// compiler leaves of them.
public struct TiledTiles: Hashable, Sendable {
    /// Work-items along the queries, and along keys and columns.
    public let itemsQ: Int
    public let itemsC: Int
    /// Fours of queries and of keys of a work-item.
    public let queryVectors: Int
    public let keyVectors: Int
    /// Most fours of value columns of a work-item.
    public let mostValueVectors: Int
    /// Depths, and keys of values, that are in local memory at once.
    public let chunk: Int
    /// Value columns beyond which another row is better.
    public let mostColumns: Int
    /// Whether products are in half: what is multiplied takes half the room in local memory.
    public let hasHalfProducts: Bool
    /// Device, figure and date behind the choice.
    public let measured: String

    /// Floats in one vector of the text.
    private static let lanes = 4
    /// Products to a sum in half, at most: the bound of ``Precision/fast`` counts on it.
    private static let mostHalfProducts = 8

    public init(
        itemsQ: Int, itemsC: Int, queryVectors: Int = 1, keyVectors: Int = 1, mostValueVectors: Int = 1, chunk: Int,
        mostColumns: Int = .max, hasHalfProducts: Bool = false, measured: String
    ) {
        self.itemsQ = itemsQ
        self.itemsC = itemsC
        self.queryVectors = queryVectors
        self.keyVectors = keyVectors
        self.mostValueVectors = mostValueVectors
        self.chunk = chunk
        self.mostColumns = mostColumns
        self.hasHalfProducts = hasHalfProducts
        self.measured = measured
    }

    /// Sizes by their names in the text; those that are not given are the first row's.
    ///
    /// - Returns: `nil` and why where the text cannot have them.
    public static func given(
        _ sizes: [String: Int], hasHalfProducts: Bool = false
    ) -> (tiles: TiledTiles?, refusal: String) {
        var values = table[0].sizes
        if let refusal = space.refusal(sizes) { return (nil, refusal) }
        values.merge(sizes) { $1 }
        guard let itemsQ = values["ITEMS_Q"], let itemsC = values["ITEMS_C"],
            let queryVectors = values["QUERY_VECTORS"],
            let keyVectors = values["KEY_VECTORS"], let valueVectors = values["VALUE_VECTORS"],
            let chunk = values["CHUNK"]
        else { return (nil, "a tile size is missing") }
        let tiles = TiledTiles(
            itemsQ: itemsQ, itemsC: itemsC, queryVectors: queryVectors, keyVectors: keyVectors,
            mostValueVectors: valueVectors, chunk: chunk, hasHalfProducts: hasHalfProducts, measured: "as given")
        guard chunk % lanes == 0, tiles.tileK % chunk == 0 else {
            return (nil, "CHUNK is \(chunk), not a multiple of \(lanes) that divides a tile of \(tiles.tileK) keys")
        }
        guard !hasHalfProducts || chunk <= mostHalfProducts else {
            return (nil, "CHUNK is \(chunk), above \(mostHalfProducts), the most products of a sum in half")
        }
        return (tiles, "")
    }

    /// By their names in the text.
    public var sizes: [String: Int] {
        [
            "ITEMS_Q": itemsQ, "ITEMS_C": itemsC, "QUERY_VECTORS": queryVectors, "KEY_VECTORS": keyVectors,
            "VALUE_VECTORS": mostValueVectors, "CHUNK": chunk,
        ]
    }

    public static let space = TileSpace([
        TileSpace.Size("ITEMS_Q", Array(1...32), tried: [4, 8, 16, 32]),
        TileSpace.Size("ITEMS_C", Array(1...32), tried: [4, 8, 16, 32]),
        TileSpace.Size("CHUNK", Array(4...64), tried: [4, 8, 16]),
        TileSpace.Size("QUERY_VECTORS", Array(1...4), tried: [1, 2]),
        TileSpace.Size("KEY_VECTORS", Array(1...4), tried: [1, 2]),
        TileSpace.Size("VALUE_VECTORS", Array(1...4), tried: [1, 2, 4]),
    ])

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
        return min(needed <= 1 ? 1 : needed <= 2 ? 2 : 4, mostValueVectors)
    }

    /// Local memory of a work-group, in bytes: as FIRST_VECTORS and SECOND_VECTORS of stages.clh, and three flags.
    public func localBytes(valueVectors: Int) -> Int {
        // Of a number that is multiplied: of queries, keys and values.
        let term = MemoryLayout<Float>.stride / (hasHalfProducts ? 2 : 1)
        let staged = 2 * chunk * (tileQ + tileK + 2 * Self.lanes) * term
        let values = 2 * chunk * columns(valueVectors) * term
        let shifts = tileK * (tileQ + 1) * MemoryLayout<Float>.stride
        let reduced = itemsC * tileQ * MemoryLayout<Float>.stride
        return max(staged, shifts) + max(values, reduced) + 3 * MemoryLayout<Int32>.stride
    }

    /// The rows for products in float, or in half.
    public static func table(hasHalfProducts: Bool) -> [TiledTiles] { hasHalfProducts ? table.map(\.inHalf) : table }

    /// The same for products in half. Sums of 8 of them, so that less is spent on adding up in float; 64 work-items have no
    /// registers for that on one GPU.
    private var inHalf: TiledTiles {
        TiledTiles(
            itemsQ: itemsQ, itemsC: itemsC, queryVectors: queryVectors, keyVectors: keyVectors,
            mostValueVectors: mostValueVectors, chunk: group > Self.smallestGPUGroup ? Self.mostHalfProducts : chunk,
            mostColumns: mostColumns, hasHalfProducts: true, measured: "tiles of float; in half not measured on a GPU")
    }

    public static let table: [TiledTiles] = [
        TiledTiles(
            itemsQ: 16, itemsC: 16, chunk: 8, mostColumns: 64,
            measured: "8 products to a load from local memory, 21 KiB of it; not measured on a GPU"),
        TiledTiles(
            itemsQ: 8, itemsC: 32, chunk: 4,
            measured: "the same for more columns; not measured on a GPU"),
        TiledTiles(
            itemsQ: 8, itemsC: 16, chunk: 8,
            measured: "for 128 work-items or 16 KiB of local memory; not measured on a GPU"),
        TiledTiles(itemsQ: 4, itemsC: 16, chunk: 4, measured: "for 64 work-items; not measured on a GPU"),
        TiledTiles(
            itemsQ: 4, itemsC: 8, mostValueVectors: 4, chunk: 4, measured: "for 32 work-items; not measured on a GPU"),
        TiledTiles(
            itemsQ: 4, itemsC: 4, mostValueVectors: 4, chunk: 8, measured: "for 16 work-items; not measured on a GPU"),
    ]

    /// Rows with fewer work-items are for processors that call themselves devices: no GPU has so few.
    public static let smallestGPUGroup = 64

    /// Whether a device has room for them.
    public func fits(largestGroup: Int, localBytes: Int, columns: Int) -> Bool {
        group <= largestGroup && columns <= mostColumns
            && self.localBytes(valueVectors: valueVectors(columns)) <= localBytes
    }
}
