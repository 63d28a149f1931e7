import AttentionCore
import AttentionReference
import Testing
import Workers

@testable import AttentionNative

/// Steps of layers on the native path.
enum LayerCalls {
    /// A result that starts out as NaN.
    static func result(_ shape: [Int], _ type: ElementType = .float32) throws -> Tensor {
        let tensor = try Tensor(uninitialized: shape, type)
        if type == .float32 { try tensor.write([Double](repeating: .nan, count: tensor.count)) }
        return tensor
    }

    /// Performs `operation`, and expects what the definition allows.
    static func expectRight(
        _ operation: LayerOperation, on backend: NativeBackend, _ comment: String,
        location: SourceLocation = #_sourceLocation
    ) throws {
        let expected = try LayerReference.evaluate(operation)
        try backend.perform(operation, RunControl())
        let findings = try LayerReference.findings(expected)
        #expect(findings.isEmpty, "\(backend.device.name) \(comment): \(findings)", sourceLocation: location)
    }

    static func copied(_ tensor: Tensor, to storage: any TensorStorage, at offset: Int) throws -> Tensor {
        let layout = try TensorLayout(shape: tensor.shape, strides: tensor.strides, offset: offset)
        let result = try Tensor(storage: storage, layout: layout, elementType: tensor.elementType)
        try result.writeBytes(of: tensor)
        return result
    }

    /// `tensor` in memory that the host cannot reach.
    static func far(_ tensor: Tensor) throws -> Tensor {
        let size = tensor.elementType.byteCount
        return try copied(tensor, to: FarStorage(byteCount: tensor.layout.extent.upperBound * size + 64), at: 64 / size)
    }
}
