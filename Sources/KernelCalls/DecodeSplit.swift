import AttentionCore

/// How the chunks of a decode call are dealt out to work-items. It changes no result.
public struct DecodeSplit: Hashable, Sendable {
    /// Rows of a work-item.
    public static let blockRows = 16
    /// Keys of a chunk. It is part of the arithmetic, and so one number for all.
    public static let chunkKeys = 256
    /// The most rows that share a key head for which reading keys, not computing, takes the time.
    public static let mostRows = 8

    /// Rows that share a key head, in the longest segment.
    public let rows: Int
    /// Work-items that the rows alone make.
    public let blocks: Int
    /// Key heads of all segments.
    public let heads: Int
    /// Chunks of the longest segment.
    public let chunks: Int
    /// Work-items that share the chunks of a block of rows; 1 merges them itself.
    public let items: Int

    public init(
        _ problem: AttentionProblem, computeUnits: Int, chunkKeys: Int = Self.chunkKeys, blockRows: Int = Self.blockRows
    ) {
        let shape = problem.shape
        let group = shape.queryHeads / max(shape.keyValueHeads, 1)
        rows = problem.segments.reduce(0) { max($0, $1.queryCount) } * group
        blocks = (rows + blockRows - 1) / blockRows
        heads = shape.keyValueHeads * problem.segments.count
        let keys = problem.segments.reduce(0) { max($0, $1.keyCount) }
        chunks = max((keys + chunkKeys - 1) / chunkKeys, 1)
        // Four work-items to a compute unit keep all of them busy to the end.
        let wanted = 4 * computeUnits
        let present = blocks * heads
        items = present == 0 || present >= wanted ? 1 : min(chunks, (wanted + present - 1) / present)
    }

    /// Room for the parts of all chunks, or none if nothing is shared.
    public func scratchBytes(columns: Int, lanes: Int) -> Int {
        items > 1 ? partBytes(columns: columns, lanes: lanes) : 0
    }

    /// Room for the parts of all chunks.
    public func partBytes(columns: Int, lanes: Int) -> Int {
        let part = lanes + (columns + lanes - 1) / lanes * lanes
        return heads * rows * chunks * part * MemoryLayout<Float>.stride
    }
}
