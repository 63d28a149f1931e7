/// A part of a call: a box of batch entries, heads, queries and keys.
///
/// Heads are cut between key heads, so that the queries of a group stay with their keys.
public struct ProblemPart: Hashable, Sendable {
    /// Entries of the batch dimension.
    public var batch: Range<Int>
    /// Key and value heads, with all query heads that read them.
    public var keyValueHeads: Range<Int>
    /// Rows of the query and output.
    public var rows: Range<Int>
    /// Rows of the present keys and values.
    public var keys: Range<Int>

    /// All of a call of this shape.
    public init(_ shape: AttentionShape) {
        batch = 0..<shape.batch
        keyValueHeads = 0..<shape.keyValueHeads
        rows = 0..<shape.queryLength
        keys = 0..<shape.keyLength
    }

    /// True if another part has the same results, but for its keys.
    public func sharesResults(with other: ProblemPart) -> Bool {
        batch == other.batch && keyValueHeads == other.keyValueHeads && rows == other.rows
    }
}

extension AttentionProblem {
    /// True if `part` lacks keys, so that its results have to be joined with those of others.
    public func isPartial(_ part: ProblemPart) -> Bool { part.keys != 0..<shape.keyLength }

    /// The query heads of `part`.
    public func queryHeads(_ part: ProblemPart) -> Range<Int> {
        let group = shape.queryHeads / max(shape.keyValueHeads, 1)
        return part.keyValueHeads.lowerBound * group..<part.keyValueHeads.upperBound * group
    }

    /// The pairs that causal mask, windows and lengths leave in `part`, over its heads.
    public func attendedPairs(_ part: ProblemPart) -> Int { self.part(part).attendedPairs }

    /// `part` of this call as a call of its own, for plans: sizes, lengths and positions, and no view of an operand.
    ///
    /// Past and new keys have been put together before. A part that lacks keys has them in one piece and not in blocks; it gives its
    /// `logSumExp`, leaves sinks to the join, and takes queries and keys of the 16-bit types as `float32`, so that its output is not
    /// rounded before the join.
    public func part(_ part: ProblemPart) -> AttentionProblem {
        var copy = self
        (copy.pastLength, copy.hasPast) = (0, false)
        let heads = queryHeads(part)
        copy.shape.batch = part.batch.count
        copy.shape.queryHeads = heads.count
        copy.shape.keyValueHeads = part.keyValueHeads.count
        copy.shape.queryLength = part.rows.count
        copy.shape.keyLength = part.keys.count
        if !alibiSlopes.isEmpty { copy.alibiSlopes = Array(alibiSlopes[heads]) }
        if !sinks.isEmpty { copy.sinks = Array(sinks[heads]) }
        copy.maskKeys = min(max(maskKeys - part.keys.lowerBound, 0), part.keys.count)
        copy.segments = segments.compactMap { segment in
            isPacked || part.batch.contains(segment.batch) ? cut(segment, part) : nil
        }
        guard isPartial(part) else { return copy }
        copy.blockSize = 0
        copy.sinks = []
        copy.wantsLogSumExp = true
        if copy.queryType.byteCount < ElementType.float32.byteCount { copy.queryType = .float32 }
        return copy
    }

    /// What `part` has of a segment, which may be nothing: plans rely on the number of sequences.
    private func cut(_ segment: Segment, _ part: ProblemPart) -> Segment {
        var cut = segment
        cut.batch = isPacked ? 0 : segment.batch - part.batch.lowerBound
        let queries = Self.overlap(segment.queryStart, segment.queryCount, part.rows)
        let keys = Self.overlap(segment.keyStart, segment.keyCapacity, part.keys)
        let filled = Self.overlap(segment.keyStart, segment.keyCount, part.keys)
        cut.queryStart = queries.lowerBound - part.rows.lowerBound
        cut.queryCount = queries.count
        cut.keyStart = keys.lowerBound - part.keys.lowerBound
        cut.keyCapacity = keys.count
        cut.keyCount = filled.count
        // Positions count from the segment's first key and query in this part.
        cut.offset = segment.offset + (queries.lowerBound - segment.queryStart) - (keys.lowerBound - segment.keyStart)
        return cut
    }

    /// The part of `count` rows from `start` on that lies in `range`; an empty one lies in it too.
    private static func overlap(_ start: Int, _ count: Int, _ range: Range<Int>) -> Range<Int> {
        (start..<start + count).clamped(to: range)
    }
}
