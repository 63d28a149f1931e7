/// A tensor to be written.
public struct TensorFileTensor: Hashable, Sendable {
    /// Any Unicode text but `__metadata__`.
    public var name: String
    /// What one element is.
    public var elementType: TensorFileElementType
    /// Extents, outermost first, row-major; empty for a scalar, at most 64.
    public var shape: [Int]
    /// The elements, little-endian: as many bytes as the shape's product times the element's size.
    public var bytes: [UInt8]

    /// Takes the values as they are; they are checked when the file is written.
    public init(name: String, elementType: TensorFileElementType, shape: [Int], bytes: [UInt8]) {
        self.name = name
        self.elementType = elementType
        self.shape = shape
        self.bytes = bytes
    }
}
