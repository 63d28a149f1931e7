import Testing

@testable import AttentionCore

@Suite struct LayoutTests {
    private func kind(_ body: () throws(AttentionError) -> Void) -> InvalidOperand.Kind? {
        do throws(AttentionError) { try body() } catch {
            if case .invalid(let invalid) = error { return invalid.kind }
        }
        return nil
    }

    private func layoutKind(_ shape: [Int], _ strides: [Int], _ offset: Int = 0) -> InvalidOperand.Kind? {
        kind { () throws(AttentionError) in _ = try TensorLayout(shape: shape, strides: strides, offset: offset) }
    }

    @Test func wrongLayoutsAreRefused() {
        #expect(layoutKind([2, 3], [1]) == .rank)
        #expect(layoutKind([2, -3], [1, 1]) == .shape)
        #expect(layoutKind([2], [1], -1) == .bounds)
        #expect(layoutKind([3], [-1], 1) == .bounds)
        #expect(layoutKind([3], [.max]) == .overflow)
        #expect(layoutKind([2, 2], [.max / 2 + 1, .max / 2 + 1]) == .overflow)
        #expect(layoutKind([2], [.min]) == .bounds)
        #expect(layoutKind([3], [.min]) == .overflow)
        #expect(layoutKind([2], [1], .max) == .overflow)
        #expect(
            kind { () throws(AttentionError) in _ = try TensorLayout(contiguous: [1 << 32, 1 << 32]) } == .overflow)
        #expect(kind { () throws(AttentionError) in _ = try Tensor(uninitialized: [1 << 61]) } == .overflow)
    }

    @Test func extentsCoverAllElements() throws {
        let layout = try TensorLayout(shape: [3, 4], strides: [-5, 2], offset: 20)
        #expect(layout.extent == 10..<27 && layout.count == 12 && !layout.isContiguous)
        var indices: [Int] = []
        layout.forEachIndex { indices.append($0) }
        #expect(indices.count == 12 && indices.min() == 10 && indices.max() == 26 && indices[0] == 20)
        #expect(try TensorLayout(contiguous: []).count == 1)
    }

    /// Sizes that only a zero keeps from passing 64 bits must not trap anywhere.
    @Test func emptyLayoutsOfHugeShapes() throws {
        let huge = 1 << 40
        let empty = try TensorLayout(contiguous: [huge, huge, 0])
        #expect(empty.count == 0 && empty.isContiguous && !empty.mayOverlapItself && empty.extent.isEmpty)
        #expect(try TensorLayout(contiguous: [0, huge, huge]).isContiguous)
        let one = try TensorLayout(shape: [1, 1], strides: [.min, .max])
        #expect(one.memoryOrder.count == 2 && one.isContiguous && !one.mayOverlapItself)
        let tensor = try Tensor([Float](), shape: [0]).viewed(shape: [0, 4], strides: [1, .max / 3])
        #expect(try tensor.sliced(axis: 1, 3..<4).count == 0)
        #expect(
            try Tensor([Float](), shape: [0]).viewed(shape: [0, 5, 4], strides: [1, 1, .max / 3]).splitIntoHeads(2)
                .count == 0)
    }

    @Test func overlapIsSeen() throws {
        func overlaps(_ shape: [Int], _ strides: [Int]) throws -> Bool {
            try TensorLayout(shape: shape, strides: strides, offset: 1000).mayOverlapItself
        }
        #expect(try !overlaps([2, 3, 4], [12, 4, 1]))
        #expect(try !overlaps([2, 3, 4], [1, 8, 2]))
        #expect(try !overlaps([2, 3], [-3, -1]))
        #expect(try overlaps([2, 3], [0, 1]))
        #expect(try overlaps([2, 3], [2, 1]))
        #expect(try overlaps([3, 3], [1, 1]))
        #expect(try !overlaps([1, 3], [0, 1]))
    }

    @Test func memoryOrderIsKept() throws {
        let query = try TensorLayout(shape: [2, 4, 3, 8], strides: [96, 8, 32, 1])
        #expect(query.memoryOrder == [0, 2, 1, 3])
        #expect(try TensorLayout(shape: [2, 4, 3, 6], memoryOrder: [0, 2, 1, 3]).strides == [72, 6, 24, 1])
    }
}
