import AttentionCore
import Workers

@testable import AttentionNative

/// Calls of the native path.
enum NativeCalls {
    static func numbers(_ shape: [Int], _ seed: Int, _ type: ElementType = .float32) throws -> Tensor {
        try Tensor(
            (0..<shape.reduce(1, *)).map { Float(($0 &* 2_654_435_761 &+ seed) % 1009) / 504 - 1 }, shape: shape,
            elementType: type)
    }

    static func run(
        _ backend: NativeBackend, _ inputs: AttentionInputs, _ options: AttentionOptions = AttentionOptions(),
        _ policy: PlanPolicy = PlanPolicy(), _ control: RunControl = RunControl()
    ) throws -> (outputs: AttentionOutputs, report: RunReport) {
        let problem = try AttentionProblem(inputs, options)
        let outputs = try problem.makeOutputs(for: inputs) { (bytes) throws(AttentionError) in
            try HostStorage(byteCount: bytes)
        }
        return (outputs, try backend.plan(problem, policy).run(problem, inputs, outputs, control))
    }

    static func bytes(_ outputs: AttentionOutputs) throws -> [[UInt8]] {
        try [outputs.output, outputs.logSumExp, outputs.scores].map { try $0?.contiguousBytes() ?? [] }
    }
}

/// Memory that the host cannot reach, as a device's own.
final class FarStorage: TensorStorage, @unchecked Sendable {
    private let near: HostStorage
    var byteCount: Int { near.byteCount }
    var place: String { "far" }
    var hostBytes: UnsafeMutableRawBufferPointer? { nil }

    init(byteCount: Int) throws(AttentionError) { near = try HostStorage(byteCount: byteCount) }

    func download(from offset: Int, into bytes: UnsafeMutableRawBufferPointer) throws(AttentionError) {
        try near.download(from: offset, into: bytes)
    }

    func upload(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(AttentionError) {
        try near.upload(bytes, at: offset)
    }
}
