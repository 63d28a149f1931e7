/// Elements of one type, with a shape and strides, in host memory or on a device.
///
/// A tensor is a view: copies and the views made from it share their storage. Making a view never moves an element.
///
/// ```swift
/// let query = try Tensor([Float](repeating: 0.5, count: 2 * 4 * 8), shape: [1, 2, 4, 8])
/// ```
public struct Tensor: Sendable {
    public let elementType: ElementType
    public let layout: TensorLayout
    public let storage: any TensorStorage

    public var shape: [Int] { layout.shape }
    /// Strides in elements.
    public var strides: [Int] { layout.strides }
    public var rank: Int { layout.rank }
    /// The number of elements.
    public var count: Int { layout.count }

    /// A view of `storage`.
    ///
    /// - Throws: ``AttentionError/invalid(_:)`` if an element would lie outside of the storage.
    public init(
        storage: any TensorStorage, layout: TensorLayout, elementType: ElementType
    ) throws(AttentionError) {
        let (end, overflow) = layout.extent.upperBound.multipliedReportingOverflow(by: elementType.byteCount)
        guard layout.count == 0 || (!overflow && end <= storage.byteCount) else {
            throw .invalid(
                "tensor", .bounds, expected: "elements within \(storage.byteCount) bytes of storage",
                found: "shape \(layout.shape), strides \(layout.strides), offset \(layout.offset) of \(elementType)")
        }
        self.storage = storage
        self.layout = layout
        self.elementType = elementType
    }

    /// New host memory in row-major order. The elements are undefined.
    public init(uninitialized shape: [Int], _ elementType: ElementType = .float32) throws(AttentionError) {
        let layout = try TensorLayout(contiguous: shape)
        try self.init(uninitialized: layout, elementType)
    }

    /// New host memory that `layout` just fits into. The elements are undefined.
    public init(uninitialized layout: TensorLayout, _ elementType: ElementType) throws(AttentionError) {
        let storage = try HostStorage(byteCount: try Self.byteCount(layout.extent.upperBound, elementType, "tensor"))
        try self.init(storage: storage, layout: layout, elementType: elementType)
    }

    /// A new host tensor of zeros.
    public init(zeros shape: [Int], elementType: ElementType) throws(AttentionError) {
        try self.init(uninitialized: shape, elementType)
        storage.hostBytes?.initializeMemory(as: UInt8.self, repeating: 0)
    }

    /// A tensor from raw bytes in row-major order, as they stand in a file.
    public init(bytes: [UInt8], shape: [Int], elementType: ElementType) throws(AttentionError) {
        let layout = try TensorLayout(contiguous: shape)
        guard bytes.count == (try Self.byteCount(layout.count, elementType, "tensor")) else {
            throw .invalid(
                "tensor", .count, expected: "\(layout.count) elements of \(elementType)", found: "\(bytes.count) bytes")
        }
        let storage = try HostStorage(byteCount: bytes.count)
        bytes.withUnsafeBytes { source in
            if let from = source.baseAddress { storage.base.copyMemory(from: from, byteCount: source.count) }
        }
        try self.init(storage: storage, layout: layout, elementType: elementType)
    }

    /// A tensor of `values` in row-major order, each rounded once to `elementType`.
    ///
    /// - Throws: ``AttentionError/invalid(_:)`` if the count does not fit the shape.
    public init<Value: BinaryFloatingPoint>(
        _ values: [Value], shape: [Int], elementType: ElementType = .float32
    ) throws(AttentionError) {
        let layout = try TensorLayout(contiguous: shape)
        guard values.count == layout.count else {
            throw .invalid(
                "tensor", .count, expected: "\(layout.count) elements for shape \(shape)", found: "\(values.count)")
        }
        try self.init(uninitialized: layout, elementType)
        guard let base = storage.hostBytes?.baseAddress else { return }
        if elementType == .float32, let floats = values as? [Float] {
            floats.withUnsafeBytes { bytes in
                if let from = bytes.baseAddress { base.copyMemory(from: from, byteCount: bytes.count) }
            }
        } else {
            for (index, value) in values.enumerated() { elementType.store(Double(value), base, index) }
        }
    }

    /// A boolean tensor of `values` in row-major order.
    public init(_ values: [Bool], shape: [Int]) throws(AttentionError) {
        try self.init(bytes: values.map { $0 ? 1 : 0 }, shape: shape, elementType: .bool)
    }

    /// Checked size in bytes of `count` elements.
    public static func byteCount(
        _ count: Int, _ type: ElementType, _ operand: String
    ) throws(AttentionError) -> Int {
        let (bytes, overflow) = count.multipliedReportingOverflow(by: type.byteCount)
        guard !overflow else {
            throw .invalid(operand, .overflow, expected: "a size within 64 bits", found: "\(count) elements of \(type)")
        }
        return bytes
    }
}
