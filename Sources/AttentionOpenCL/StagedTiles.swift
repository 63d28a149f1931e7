/// Tile sizes of the staged kernels. Measured rows only; a device takes the last row whose lanes it has.
struct StagedTiles: Hashable, Sendable {
    /// Queries in one vector.
    let lanes: Int
    /// Vectors of queries in a tile.
    let queryVectors: Int
    /// Keys in registers in `scores`.
    let tileK: Int
    /// Depths of a pass in `scores`.
    let depthChunk: Int
    /// Columns in registers, keys and columns of a pass in `weighted_sum`.
    let tileV: Int
    let tileJ: Int
    let columnChunk: Int
    /// Work-items of a work-group along the tiles.
    let workGroup: Int
    /// Device, figure and date behind the choice.
    let measured: String

    /// Queries in a tile.
    var tileQ: Int { lanes * queryVectors }

    static let table: [StagedTiles] = [
        StagedTiles(
            lanes: 1, queryVectors: 4, tileK: 4, depthChunk: 32, tileV: 4, tileJ: 8, columnChunk: 16, workGroup: 32,
            measured: "llvmpipe: private arrays of 1.5 KB a work-item; chosen to fit, not for speed; 2026-11"),
        StagedTiles(
            lanes: 4, queryVectors: 2, tileK: 4, depthChunk: 128, tileV: 4, tileJ: 32, columnChunk: 64, workGroup: 1,
            measured: "16 registers of 4: 8 sums, 2 queries; not measured on such a device"),
        StagedTiles(
            lanes: 8, queryVectors: 2, tileK: 6, depthChunk: 128, tileV: 4, tileJ: 32, columnChunk: 64, workGroup: 1,
            measured: "16 registers of 8: 12 sums, 2 queries; not measured on such a device"),
        StagedTiles(
            lanes: 16, queryVectors: 2, tileK: 8, depthChunk: 128, tileV: 8, tileJ: 64, columnChunk: 64, workGroup: 1,
            measured: "PoCL and Intel's runtime on AVX-512; 2026-11"),
    ]

    /// The row for a device of `nativeWidth` floats to a vector.
    static func row(nativeWidth: Int) -> StagedTiles {
        table.last { $0.lanes <= max(nativeWidth, 1) } ?? table[0]
    }
}
