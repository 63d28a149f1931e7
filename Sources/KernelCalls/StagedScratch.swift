import AttentionCore

/// How much scratch memory a call takes, and the pieces it is cut into to stay below a limit.
public struct StagedScratch {
    public let pieces: [StagedPiece]
    /// Keys between the scores of two tiles.
    public let keyStride: Int
    /// The scores and the inverse sums of the largest piece.
    public let byteCount: Int
    public let scoreBytes: Int

    public init(segments: [Segment], heads: Int, _ tiles: StagedTiles, limit: Int) {
        keyStride = max(segments.map(\.keyCount).max() ?? 0, 1)
        let longest = segments.map(\.queryCount).max() ?? 0
        let perSegment = (longest + tiles.tileQ - 1) / tiles.tileQ
        let tileBytes = (keyStride + 1) * tiles.tileQ * MemoryLayout<Float>.stride
        pieces = StagedPiece.pieces(
            segments: segments.count, heads: heads, tiles: perSegment, limit: limit / tileBytes)
        let most = pieces.map(\.tileCount).max() ?? 0
        scoreBytes = most * keyStride * tiles.tileQ * MemoryLayout<Float>.stride
        byteCount = most * tileBytes
    }
}
