/// Sizes of `decode_wide`.
public struct DecodeTiles: Hashable, Sendable {
    /// Vectors of value columns in registers.
    public var columnVectors: Int
    /// Keys that are asked for ahead of their turn.
    public var ahead: Int
    /// Keys of a chunk; part of the arithmetic.
    public var chunkKeys: Int

    /// - Parameter rows: Rows that share a read of a key.
    public init(rows: Int, lanes: Int) {
        // Eight or sixteen sums hide the latency of a multiply-add and leave registers for the values.
        columnVectors = rows == 4 || lanes == 4 ? 4 : 8
        ahead = 16
        chunkKeys = DecodeSplit.chunkKeys
    }

    public static let space = TileSpace([
        TileSpace.Size("TILE_C", [1, 2, 4, 8]), TileSpace.Size("AHEAD", [4, 8, 16, 32]),
        TileSpace.Size("CHUNK_KEYS", [64, 128, 256, 512, 1024]),
    ])

    /// By their names in the text.
    public var sizes: [String: Int] {
        ["TILE_C": columnVectors, "AHEAD": ahead, "CHUNK_KEYS": chunkKeys]
    }

    /// These with some of them replaced, by their names.
    public func replacing(_ sizes: [String: Int]) -> DecodeTiles {
        var copy = self
        copy.columnVectors = sizes["TILE_C"] ?? columnVectors
        copy.ahead = sizes["AHEAD"] ?? ahead
        copy.chunkKeys = sizes["CHUNK_KEYS"] ?? chunkKeys
        return copy
    }
}
