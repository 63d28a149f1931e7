/// The sizes of one attention call.
public struct AttentionShape: Hashable, Sendable, CustomStringConvertible {
    public var batch: Int
    public var queryHeads: Int
    /// Each key and value head serves `queryHeads / keyValueHeads` query heads.
    public var keyValueHeads: Int
    public var queryLength: Int
    /// Past and new keys together.
    public var keyLength: Int
    public var headDimension: Int
    public var valueDimension: Int

    public init(
        batch: Int = 1, queryHeads: Int = 1, keyValueHeads: Int? = nil, queryLength: Int, keyLength: Int,
        headDimension: Int, valueDimension: Int? = nil
    ) {
        self.batch = batch
        self.queryHeads = queryHeads
        self.keyValueHeads = keyValueHeads ?? queryHeads
        self.queryLength = queryLength
        self.keyLength = keyLength
        self.headDimension = headDimension
        self.valueDimension = valueDimension ?? headDimension
    }

    public var description: String {
        "B\(batch) H\(queryHeads)/\(keyValueHeads) L\(queryLength)×\(keyLength) D\(headDimension)/\(valueDimension)"
    }

    /// The number of result elements.
    var outputShape: [Int] { [batch, queryHeads, queryLength, valueDimension] }
    var scoreShape: [Int] { [batch, queryHeads, queryLength, keyLength] }
    var rowShape: [Int] { [batch, queryHeads, queryLength] }
}

/// A tensor seen as `[batch, head, row, column]`, by strides in elements.
public struct HeadView: Hashable, Sendable {
    public var offset: Int
    public var batch: Int
    public var head: Int
    public var row: Int
    public var column: Int

    public init(offset: Int, batch: Int, head: Int, row: Int, column: Int) {
        self.offset = offset
        self.batch = batch
        self.head = head
        self.row = row
        self.column = column
    }

    /// Of `layout`, which is `[batch, head, row, column]`, or `[batch, row, head · column]` for `columns` to a head.
    init(_ layout: TensorLayout, columns: Int) {
        let s = layout.strides
        if layout.rank == 4 {
            self.init(offset: layout.offset, batch: s[0], head: s[1], row: s[2], column: s[3])
        } else {
            // A group of columns is a head. The product stays within the extent that the layout has checked,
            // except for a single head, whose stride is never stepped over.
            let head = columns.multipliedReportingOverflow(by: s[2]).partialValue
            self.init(offset: layout.offset, batch: s[0], head: head, row: s[1], column: s[2])
        }
    }

    /// The storage index of one element.
    @inlinable public func index(_ b: Int, _ h: Int, _ row: Int, _ column: Int) -> Int {
        offset + b * batch + h * head + row * self.row + column * self.column
    }
}

/// Queries and keys that belong together: a batch entry, or one packed sequence.
public struct Segment: Hashable, Sendable {
    /// The entry of the batch dimension.
    public var batch: Int
    /// The first row of the query, output, and mask.
    public var queryStart: Int
    public var queryCount: Int
    /// The first row of the key, value, and column of the mask.
    public var keyStart: Int
    /// The keys there are, padding included.
    public var keyCapacity: Int
    /// The keys before the padding.
    public var keyCount: Int
    /// Query `i` of the segment stands at position `i + offset` among its keys.
    public var offset: Int

    public init(
        batch: Int, queryStart: Int, queryCount: Int, keyStart: Int, keyCapacity: Int, keyCount: Int, offset: Int
    ) {
        self.batch = batch
        self.queryStart = queryStart
        self.queryCount = queryCount
        self.keyStart = keyStart
        self.keyCapacity = keyCapacity
        self.keyCount = keyCount
        self.offset = offset
    }
}
