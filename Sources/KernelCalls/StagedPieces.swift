import AttentionCore

/// A part of a call that fits the workspace: some segments, heads and query tiles.
public struct StagedPiece: Hashable, Sendable {
    public var segments: Range<Int>
    public var heads: Range<Int>
    public var tiles: Range<Int>

    /// Tiles whose scores stand in the scratch at once.
    public var tileCount: Int { segments.count * heads.count * tiles.count }

    /// Cuts a call of `segments` × `heads` × `tiles` into pieces of at most `limit` tiles each (but at least one).
    ///
    /// Where it is cut changes no result: a row's bits depend on its own query and keys.
    public static func pieces(segments: Int, heads: Int, tiles: Int, limit: Int) -> [StagedPiece] {
        let tileStep = min(tiles, max(limit, 1))
        let headStep = tileStep < tiles ? 1 : min(heads, max(limit / max(tiles, 1), 1))
        let segmentStep = headStep < heads ? 1 : min(segments, max(limit / max(tiles * heads, 1), 1))
        var pieces: [StagedPiece] = []
        for segment in stride(from: 0, to: segments, by: max(segmentStep, 1)) {
            for head in stride(from: 0, to: heads, by: max(headStep, 1)) {
                for tile in stride(from: 0, to: tiles, by: max(tileStep, 1)) {
                    pieces.append(
                        StagedPiece(
                            segments: segment..<min(segment + segmentStep, segments),
                            heads: head..<min(head + headStep, heads), tiles: tile..<min(tile + tileStep, tiles)))
                }
            }
        }
        return pieces
    }
}
