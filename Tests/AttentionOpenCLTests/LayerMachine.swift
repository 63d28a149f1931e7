import AttentionCore
import AttentionReference
import Testing

@testable import AttentionOpenCL

/// Steps of layers on the OpenCL devices of this machine.
enum LayerMachine {
    /// A device with a family of kernels.
    struct Choice: Sendable, CustomTestStringConvertible {
        let candidate: OpenCLCandidate
        let family: String

        var testDescription: String { "\(candidate.description.name), \(family)" }

        func backend() throws -> OpenCLBackend {
            let backend = try candidate.makeBackend()
            backend.layerFamily = family
            return backend
        }
    }

    static let choices: [Choice] = Machine.devices.flatMap { device in
        // Narrow devices take minutes to compile vectors of 16.
        (device.family == "wide" ? ["wide", "tiled"] : ["tiled"]).map { Choice(candidate: device, family: $0) }
    }

    /// A result that starts out as NaN.
    static func result(_ shape: [Int], _ type: ElementType = .float32) throws -> Tensor {
        let tensor = try Tensor(uninitialized: shape, type)
        if type == .float32 { try tensor.write([Double](repeating: .nan, count: tensor.count)) }
        return tensor
    }

    /// Performs `operation`, and expects what the definition allows.
    static func expectRight(
        _ operation: LayerOperation, on backend: OpenCLBackend, _ comment: String,
        location: SourceLocation = #_sourceLocation
    ) throws {
        let expected = try LayerReference.evaluate(operation)
        try backend.perform(operation, RunControl())
        let findings = try LayerReference.findings(expected)
        #expect(findings.isEmpty, "\(backend.device.name) \(comment): \(findings)", sourceLocation: location)
    }

    /// `tensor` in the memory of `backend`.
    static func far(_ tensor: Tensor, _ backend: OpenCLBackend) throws -> Tensor {
        let size = tensor.elementType.byteCount
        let storage = try backend.makeStorage(byteCount: tensor.layout.extent.upperBound * size)
        let result = try Tensor(storage: storage, layout: tensor.layout, elementType: tensor.elementType)
        try result.writeBytes(of: tensor)
        return result
    }
}
