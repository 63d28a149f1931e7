import AttentionCore

/// How the query tiles of a call are dealt out to work-items. It changes no result.
public struct FlashBlocks: Hashable, Sendable {
    /// Query tiles of the longest segment.
    public let tiles: Int
    /// Query tiles of a work-item.
    public let tilesPerItem: Int
    /// Work-items to a key head and segment.
    public let itemsPerHead: Int
    /// All work-items.
    public let items: Int

    /// Most query tiles of a work-item: as many as half a megabyte of private memory holds, since a core's second cache has that.
    public static func mostTiles(room: Int, tileQ: Int) -> Int {
        min(max((512 << 10) / (2 * room * tileQ * MemoryLayout<Float>.stride), 1), 8)
    }

    /// A work-item's packing of keys and values, in the time of one tile.
    private static let packing = 0.1

    public init(_ problem: AttentionProblem, tileQ: Int, mostTiles: Int, computeUnits: Int) {
        let longest = problem.segments.reduce(0) { max($0, $1.queryCount) }
        let shape = problem.shape
        tiles = (longest + tileQ - 1) / tileQ
        let perHead = tiles * (shape.queryHeads / max(shape.keyValueHeads, 1))
        let heads = shape.keyValueHeads * problem.segments.count
        // The slowest compute unit's time: many tiles to a work-item pack rarely, few leave nobody idle.
        func time(_ count: Int) -> Double {
            let items = (perHead + count - 1) / count * heads
            return Double((items + computeUnits - 1) / computeUnits) * (Double(count) + Self.packing)
        }
        var best = 1
        for count in stride(from: 2, through: mostTiles, by: 1) where time(count) < time(best) { best = count }
        tilesPerItem = best
        itemsPerHead = (perHead + best - 1) / best
        items = itemsPerHead * heads
    }
}
