import AttentionCore
import Testing

/// Memory of the caller's, wherever it begins.
@Suite struct WrappedMemoryTests {
    private final class Owner: Sendable {}

    @Test func floatsNeedNoAlignment() throws {
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 13, alignment: 16)
        defer { memory.deallocate() }
        let odd = UnsafeMutableRawBufferPointer(rebasing: memory[1...])
        for (index, value) in [Float(1.5), -2, 3].enumerated() {
            odd.storeBytes(of: value, toByteOffset: index * 4, as: Float.self)
        }
        let storage = try HostStorage(wrapping: odd, owner: Owner())
        let tensor = try Tensor(
            storage: storage, layout: try TensorLayout(contiguous: [3]), elementType: .float32)
        #expect(try tensor.floats() == [1.5, -2, 3])
        #expect(try tensor.doubles() == [1.5, -2, 3])
    }
}
