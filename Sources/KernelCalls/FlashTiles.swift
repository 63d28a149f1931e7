/// Tile sizes of `flash_wide`. Measured rows only; a device takes the row of its lanes that suits the shape best.
public struct FlashTiles: Hashable, Sendable {
    /// Queries in one vector.
    public let lanes: Int
    /// Vectors of queries in a tile.
    public let queryVectors: Int
    /// Keys in registers.
    public let tileK: Int
    /// Value columns in registers.
    public let tileV: Int
    /// Speed against the fastest row of these lanes, where every lane has a query.
    public let relativeSpeed: Double
    /// Device, figure and date behind the choice.
    public let measured: String

    /// One row; `measured` says on what its numbers stand.
    public init(
        lanes: Int, queryVectors: Int, tileK: Int, tileV: Int, relativeSpeed: Double, measured: String
    ) {
        self.lanes = lanes
        self.queryVectors = queryVectors
        self.tileK = tileK
        self.tileV = tileV
        self.relativeSpeed = relativeSpeed
        self.measured = measured
    }

    /// Queries in a tile.
    public var tileQ: Int { lanes * queryVectors }

    /// Keys of a pass. One number for all rows: it is part of the arithmetic, and a row's bits must not depend on the queries
    /// beside it. A multiple of every `tileK`.
    public static let tileJ = 96

    public static let space = TileSpace([
        TileSpace.Size("QUERY_VECTORS", [1, 2, 3, 4]),
        // A pass is a whole number of them.
        TileSpace.Size("TILE_K", [2, 3, 4, 6, 8, 12].filter { tileJ % $0 == 0 }, tried: [4, 6, 8, 12]),
        // Rooms are powers of 2.
        TileSpace.Size("TILE_V", [2, 4, 8], tried: [4, 8]),
    ])

    /// By their names in the text.
    public var sizes: [String: Int] { ["QUERY_VECTORS": queryVectors, "TILE_K": tileK, "TILE_V": tileV] }

    /// These with some of them replaced, by their names.
    public func replacing(_ sizes: [String: Int]) -> FlashTiles {
        guard !sizes.isEmpty else { return self }
        return FlashTiles(
            lanes: lanes, queryVectors: sizes["QUERY_VECTORS"] ?? queryVectors, tileK: sizes["TILE_K"] ?? tileK,
            tileV: sizes["TILE_V"] ?? tileV, relativeSpeed: 1, measured: "as given")
    }

    public static let table: [FlashTiles] = [
        FlashTiles(
            lanes: 4, queryVectors: 2, tileK: 4, tileV: 4, relativeSpeed: 1,
            measured: "16 registers of 4: 8 sums; not measured on such a device"),
        FlashTiles(
            lanes: 8, queryVectors: 3, tileK: 4, tileV: 4, relativeSpeed: 1,
            measured: "16 registers of 8: 12 sums, 3 queries; not measured on such a device"),
        FlashTiles(
            lanes: 8, queryVectors: 1, tileK: 8, tileV: 8, relativeSpeed: 0.7,
            measured: "16 registers of 8: 8 sums; not measured on such a device"),
        FlashTiles(
            lanes: 16, queryVectors: 4, tileK: 4, tileV: 4, relativeSpeed: 1,
            measured: "PoCL and Intel's runtime on AVX-512; 2026-11"),
        FlashTiles(
            lanes: 16, queryVectors: 2, tileK: 8, tileV: 8, relativeSpeed: 0.92,
            measured: "PoCL and Intel's runtime on AVX-512; 2026-11"),
        FlashTiles(
            lanes: 16, queryVectors: 1, tileK: 12, tileV: 8, relativeSpeed: 0.7,
            measured: "PoCL and Intel's runtime on AVX-512; 2026-11"),
    ]

    /// The row for `queries` queries on a device of `nativeWidth` floats to a vector: the one that wastes the fewest lanes, its
    /// speed taken into account. `nil` for a device without wide vectors.
    public static func row(nativeWidth: Int, queries: Int) -> FlashTiles? {
        guard let lanes = table.map(\.lanes).filter({ $0 <= nativeWidth }).max() else { return nil }
        return table.filter { $0.lanes == lanes }.min { $0.cost(queries) < $1.cost(queries) }
    }

    /// Time for a key, in vectors of the fastest row.
    public func cost(_ queries: Int) -> Double {
        let tiles = (max(queries, 1) + tileQ - 1) / tileQ
        return Double(tiles * queryVectors) / relativeSpeed
    }
}
