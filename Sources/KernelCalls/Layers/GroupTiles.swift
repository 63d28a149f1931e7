/// Tile sizes of `linear_tiled`. They change no bit of a result: inputs are summed up in parts of the same size by all of them.
public struct GroupTiles: Codable, Hashable, Sendable {
    /// Work-items along the rows, and along the outputs: four of each are a work-item's.
    public let itemsM: Int
    public let itemsN: Int
    /// Inputs that are in local memory at once, twice.
    public let chunk: Int

    /// Inputs that are summed up before they come to the total. It is part of the arithmetic, and so one number for all.
    public static let part = 64

    private static let lanes = 4

    /// By the work-groups and the local memory that devices have. Chosen by what offline compilers make of them, not by a
    /// measurement: 8 products to a load from local memory, and room for a quarter of a GPU's waves.
    public static let table: [GroupTiles] = [
        GroupTiles(itemsM: 16, itemsN: 16, chunk: 16),
        GroupTiles(itemsM: 8, itemsN: 16, chunk: 8),
        GroupTiles(itemsM: 8, itemsN: 8, chunk: 8),
        GroupTiles(itemsM: 4, itemsN: 8, chunk: 8),
        GroupTiles(itemsM: 4, itemsN: 4, chunk: 8),
    ]

    /// Work-items of a work-group.
    public var group: Int { itemsM * itemsN }
    public var tileM: Int { Self.lanes * itemsM }
    public var tileN: Int { Self.lanes * itemsN }
    /// Local memory of a work-group, in bytes: both sides, each row one vector longer than it is.
    public var localBytes: Int { 2 * chunk * (tileM + tileN + 2 * Self.lanes) * MemoryLayout<Float>.stride }

    /// The tiles for a layer, best first: the largest that still give each compute unit two work-groups, then the others.
    public static func rows(rows: Int, outputs: Int, computeUnits: Int, largestGroup: Int, localBytes: Int)
        -> [GroupTiles]
    {
        let fitting = table.filter { $0.group <= largestGroup && $0.localBytes <= localBytes }
        func groups(_ tiles: GroupTiles) -> Int {
            let (m, n) = ((rows + tiles.tileM - 1) / tiles.tileM, (outputs + tiles.tileN - 1) / tiles.tileN)
            return m * n
        }
        // No smaller than a GPU's sub-groups, unless the device is.
        let first =
            fitting.firstIndex { groups($0) >= 2 * computeUnits } ?? fitting.lastIndex { $0.group >= 64 } ?? 0
        return Array(fitting.dropFirst(first) + fitting.prefix(first))
    }
}

/// How `linear_few_tiled` shares out a layer of few rows.
public struct FewRowTiles: Codable, Hashable, Sendable {
    /// Outputs of a work-group, a multiple of 4, and parts of the inputs that it reads side by side.
    public let columns: Int
    public let parts: Int
    /// Rows that are computed with, at least those there are.
    public let rows: Int
    /// Inputs of each part that are in local memory at once.
    public static let chunk = 16
    /// More rows are for `linear_tiled`.
    public static let mostRows = 8

    /// Work-items of a work-group.
    public var group: Int { columns * parts }

    /// Local memory of a work-group, in bytes: an item's weights, and a vector more.
    public var localBytes: Int { group * (Self.chunk + 4) * MemoryLayout<Float>.stride }

    public static let sizes: [(columns: Int, parts: Int)] = [(8, 8), (4, 8), (4, 4)]

    /// Those for `rows` rows, best first.
    public static func rows(_ rows: Int, largestGroup: Int, localBytes: Int) -> [FewRowTiles] {
        let room = rows <= 1 ? 1 : rows <= 2 ? 2 : rows <= 4 ? 4 : mostRows
        return sizes.map { FewRowTiles(columns: $0.columns, parts: $0.parts, rows: room) }
            .filter { $0.group <= largestGroup && $0.localBytes <= localBytes }
    }
}

/// Sizes of `additive_tiled`.
public enum AdditiveTiles {
    /// Work-items of a work-group, best first: each has a key of a tile. Part of the arithmetic.
    public static let groups = [64, 32, 16, 8]
    /// Numbers of the width that are in local memory at once.
    public static let chunk = 16

    /// Local memory of a work-group, in bytes.
    public static func localBytes(group: Int, lanes: Int) -> Int {
        (chunk * (group + 1 + lanes + 1) + (2 * group + 1) * lanes) * MemoryLayout<Float>.stride
    }
}
