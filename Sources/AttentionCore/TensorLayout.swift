/// Where the elements of a tensor stand in its storage: element `[i, j, …]` is at `offset + i·strides[0] + j·strides[1] + …`.
///
/// Strides and offset count elements, never bytes. Strides may be zero or negative.
public struct TensorLayout: Hashable, Sendable {
    public let shape: [Int]
    public let strides: [Int]
    public let offset: Int
    /// The number of elements, the product of the shape.
    public let count: Int
    /// The smallest and largest index that an element has; an empty range when there are no elements.
    public let extent: Range<Int>

    /// A layout from parts.
    ///
    /// - Throws: ``AttentionError/invalid(_:)`` for a negative dimension, strides of another count, or indices beyond 64 bits.
    public init(
        shape: [Int], strides: [Int], offset: Int = 0, operand: String = "tensor"
    ) throws(AttentionError) {
        guard shape.count == strides.count else {
            throw .invalid(
                operand, .rank, expected: "\(shape.count) strides for shape \(shape)", found: "\(strides.count)")
        }
        guard offset >= 0 else {
            throw .invalid(operand, .bounds, expected: "an offset of 0 or more", found: "\(offset)")
        }
        count = try Self.product(shape, operand: operand)
        var low = offset
        var high = offset
        if count > 0 {
            for (size, stride) in zip(shape, strides) {
                let (reach, overflow) = (size - 1).multipliedReportingOverflow(by: stride)
                let (newLow, lowOverflow) = low.addingReportingOverflow(min(reach, 0))
                let (newHigh, highOverflow) = high.addingReportingOverflow(max(reach, 0))
                guard !overflow, !lowOverflow, !highOverflow, newHigh < Int.max else {
                    throw .invalid(
                        operand, .overflow, expected: "indices within 64 bits",
                        found: "shape \(shape) with strides \(strides)")
                }
                low = newLow
                high = newHigh
            }
            high += 1
        }
        guard low >= 0 else {
            throw .invalid(operand, .bounds, expected: "indices of 0 or more", found: "\(low)")
        }
        self.shape = shape
        self.strides = strides
        self.offset = offset
        extent = low..<high
    }

    /// Row-major and without gaps: the last dimension has stride 1.
    public init(contiguous shape: [Int], operand: String = "tensor") throws(AttentionError) {
        _ = try Self.product(shape, operand: operand)
        try self.init(shape: shape, strides: Self.contiguousStrides(shape), operand: operand)
    }

    /// Gives `shape` memory order `order`, outermost first, without gaps.
    public init(shape: [Int], memoryOrder order: [Int], operand: String = "tensor") throws(AttentionError) {
        _ = try Self.product(shape, operand: operand)
        let packed = Self.contiguousStrides(order.map { shape[$0] })
        var strides = shape
        for (place, axis) in order.enumerated() { strides[axis] = packed[place] }
        try self.init(shape: shape, strides: strides, operand: operand)
    }

    public var rank: Int { shape.count }

    /// True if the elements follow one another in row-major order.
    public var isContiguous: Bool {
        // Without elements nothing is out of order, and the product of the other dimensions may pass 64 bits.
        guard count > 0 else { return true }
        var expected = 1
        for (size, stride) in zip(shape, strides).reversed() {
            if size != 1 && stride != expected { return false }
            expected *= max(size, 1)
        }
        return true
    }

    /// The axes from the largest stride to the smallest, ties in axis order: how the elements lie in memory.
    public var memoryOrder: [Int] {
        shape.indices.sorted { (strides[$0].magnitude, -$0) > (strides[$1].magnitude, -$1) }
    }

    /// True unless each stride surely steps over all that the smaller ones reach. Layouts whose elements interleave without
    /// meeting are counted as overlapping too, since telling them apart is as hard as a knapsack.
    public var mayOverlapItself: Bool {
        guard count > 1 else { return false }
        var reach = 0
        for axis in memoryOrder.reversed() where shape[axis] > 1 {
            let stride = abs(strides[axis])
            if stride <= reach { return true }
            reach += (shape[axis] - 1) * stride
        }
        return false
    }

    static func contiguousStrides(_ shape: [Int]) -> [Int] {
        var strides = shape
        var step = 1
        for axis in shape.indices.reversed() {
            strides[axis] = step
            // A product that passes 64 bits is reported by `product`; shapes with a zero may pass it harmlessly.
            step = step.multipliedReportingOverflow(by: max(shape[axis], 1)).partialValue
        }
        return strides
    }

    /// The product of a shape, with overflow and negative dimensions refused.
    public static func product(_ shape: [Int], operand: String) throws(AttentionError) -> Int {
        if let negative = shape.first(where: { $0 < 0 }) {
            throw .invalid(operand, .shape, expected: "dimensions of 0 or more", found: "\(negative) in \(shape)")
        }
        if shape.contains(0) { return 0 }
        var product = 1
        for size in shape {
            let (next, overflow) = product.multipliedReportingOverflow(by: size)
            guard !overflow else {
                throw .invalid(operand, .overflow, expected: "a product within 64 bits", found: "shape \(shape)")
            }
            product = next
        }
        return product
    }
}
