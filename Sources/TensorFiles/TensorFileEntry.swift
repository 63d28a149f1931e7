/// One tensor of a ``TensorFile``: what it is and where its bytes are. A file that opened has only entries that are
/// sound: `byteRange` lies inside the data part and holds exactly the shape's elements.
public struct TensorFileEntry: Hashable, Sendable {
    /// The tensor's name, any Unicode text, unique within its file.
    public let name: String
    /// What one element is.
    public let elementType: TensorFileElementType
    /// Extents, outermost first, row-major; empty for a scalar. An extent may be 0.
    public let shape: [Int]
    /// Where the elements lie, in bytes from the start of the data part (the header's `data_offsets`).
    public let byteRange: Range<Int>

    /// Number of elements: the product of the shape.
    public var elementCount: Int { byteRange.count / elementType.byteCount }
    /// Size in bytes.
    public var byteCount: Int { byteRange.count }
}

/// Sizes that are trusted only once they have been multiplied without overflow.
enum TensorSize {
    /// Longest shape accepted.
    static let maximumRank = 64

    /// The bytes of `shape`, or nil if any product leaves `Int`. Extents of 0 are left out of the overflow check's
    /// product, so that [0, 2⁶², 2⁶²] is refused as [2⁶², 2⁶², 0] is, and strides computed from an accepted shape do
    /// not overflow either.
    static func byteCount(shape: [Int], elementType: TensorFileElementType) -> Int? {
        var size = elementType.byteCount
        for extent in shape where extent != 0 {
            guard extent > 0 else { return nil }
            let (product, overflow) = size.multipliedReportingOverflow(by: extent)
            if overflow { return nil }
            size = product
        }
        return shape.contains(0) ? 0 : size
    }
}
