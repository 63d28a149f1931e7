/// Tile sizes of the staged kernels. Measured rows only; a device takes the last row whose lanes it has.
public struct StagedTiles: Hashable, Sendable {
    /// Queries in one vector.
    public let lanes: Int
    /// Vectors of queries in a tile.
    public let queryVectors: Int
    /// Keys in registers in `scores`.
    public let tileK: Int
    /// Depths of a pass in `scores`.
    public let depthChunk: Int
    /// Columns in registers, keys and columns of a pass in `weighted_sum`.
    public let tileV: Int
    public let tileJ: Int
    public let columnChunk: Int
    /// Work-items of a work-group along the tiles.
    public let workGroup: Int
    /// Device, figure and date behind the choice.
    public let measured: String

    /// Queries in a tile.
    public var tileQ: Int { lanes * queryVectors }

    /// Keys of one work-item of `scores`. Scalar work-items take a few each: there are many of them, and one driver ends every loop
    /// of a work-item after 65,535 rounds in all without a word (rusticl 22.3 on llvmpipe).
    public func blockKeys(_ keys: Int) -> Int { lanes > 1 ? max(keys, 1) : tileK }

    /// Work-items that share the columns of a tile in `weighted_sum`.
    public func columnBlocks(_ columns: Int) -> Int { lanes > 1 ? 1 : (columns + tileV - 1) / tileV }

    /// Scratch memory of a piece, in bytes: large calls are cut so that the scores of a piece stay in the caches between kernels.
    /// 1,8,8,1024,1024,64 on PoCL and Intel's runtime, share of peak: 256 MiB 0.40 and 0.39, 16 MiB 0.45 and 0.45, 8 MiB 0.46 and
    /// 0.48, 4 MiB 0.42 and 0.47 (EPYC, 1 MiB of second-level cache a core, 2 cores; 2026-11). Scalar kernels were not measured.
    public var scratchTarget: Int { lanes > 1 ? 8 << 20 : 64 << 20 }

    /// The most keys or depths that a work-item may walk: for scalar ones a quarter of those 65,535 rounds, as softmax takes two a key.
    public var loopLimit: Int { lanes > 1 ? Int.max : 16_384 }

    public static let table: [StagedTiles] = [
        StagedTiles(
            lanes: 1, queryVectors: 4, tileK: 4, depthChunk: 16, tileV: 4, tileJ: 1, columnChunk: 4, workGroup: 32,
            measured: "4 × 4 sums and no private arrays: chosen to fit any device, not for speed; 2026-11"),
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
    public static func row(nativeWidth: Int) -> StagedTiles {
        table.last { $0.lanes <= max(nativeWidth, 1) } ?? table[0]
    }
}
