/// One attention call, checked and brought to a single form: every operand is `[batch, head, row, column]` by strides, every
/// default is filled in, and batch entries and packed sequences are both a list of segments.
///
/// Backends read this and never the caller's arguments.
public struct AttentionProblem: Hashable, Sendable {
    public internal(set) var shape: AttentionShape
    /// How many keys came from earlier calls.
    public internal(set) var pastLength: Int
    public internal(set) var queryType: ElementType
    public internal(set) var valueType: ElementType
    /// `nil` without a mask tensor.
    public internal(set) var maskType: ElementType?

    public internal(set) var query: HeadView
    /// The new keys and values. With past ones the backend reads the present tensors instead, which begin with the past.
    public internal(set) var key: HeadView
    public internal(set) var value: HeadView
    /// Rows of a block where keys and values lie in blocks; 0 where each batch entry has them in one piece. Batch strides are those
    /// from block to block then.
    public internal(set) var blockSize: Int
    /// Strides are 0 along the dimensions that are broadcast.
    public internal(set) var mask: HeadView?
    /// Keys from here on are not attended: the mask's last dimension ends.
    public internal(set) var maskKeys: Int

    public internal(set) var scale: Double
    /// 0 for none.
    public internal(set) var softcap: Double
    public internal(set) var isCausal: Bool
    public internal(set) var windowLeft: Int?
    public internal(set) var windowRight: Int?
    /// One a query head, or empty.
    public internal(set) var alibiSlopes: [Double]
    /// One a query head, or empty.
    public internal(set) var sinks: [Double]
    public internal(set) var segments: [Segment]
    public internal(set) var isPacked: Bool
    public internal(set) var scores: ScoreOutput?
    public internal(set) var wantsLogSumExp: Bool

    /// True if there are keys and values of earlier calls, of length 0 or more.
    public internal(set) var hasPast: Bool

    /// True if there is no row to compute.
    public var isEmpty: Bool { shape.batch == 0 || shape.queryHeads == 0 || shape.queryLength == 0 }

    /// The key and value head that query head `h` reads.
    @inlinable public func keyValueHead(_ h: Int) -> Int { h * shape.keyValueHeads / max(shape.queryHeads, 1) }

    /// The keys of a segment that causal mask and window leave to row `i`; lengths are applied, mask tensors are not.
    @inlinable public func keyRange(_ segment: Segment, row i: Int) -> Range<Int> {
        let position = i + segment.offset
        var low = 0
        var high = segment.keyCount
        if isCausal { high = min(high, position.addingReportingOverflow(1).partialValue) }
        if let windowRight {
            let (last, overflow) = position.addingReportingOverflow(windowRight)
            if !overflow { high = min(high, last == Int.max ? high : last + 1) }
        }
        if let windowLeft {
            let (first, overflow) = position.subtractingReportingOverflow(windowLeft)
            if !overflow { low = max(low, first) }
        }
        low = min(low, segment.keyCount)
        return low..<max(low, high)
    }

    /// Pairs of a query and a key, over all heads, that causal mask, windows and lengths leave: what a kernel has to compute.
    public var attendedPairs: Int {
        segments.reduce(0) { sum, segment in
            sum + (0..<segment.queryCount).reduce(0) { $0 + keyRange(segment, row: $1).count }
        } * shape.queryHeads
    }
}
