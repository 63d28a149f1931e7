import AttentionCore

@testable import AttentionOpenCL

/// The OpenCL devices of this machine, and calls on them.
enum Machine {
    /// All that can be used.
    static let devices: [OpenCLCandidate] = {
        let count = (try? OpenCLDiscovery.platformCount()) ?? 0
        return (0..<count).flatMap { (try? OpenCLDiscovery.candidates(platform: $0)) ?? [] }
            .filter { $0.unsuitableReason == nil }
    }()

    static func run(
        _ backend: OpenCLBackend, _ inputs: AttentionInputs, _ options: AttentionOptions = AttentionOptions(),
        _ policy: PlanPolicy = PlanPolicy(), _ control: RunControl = .init()
    ) throws -> (AttentionOutputs, RunReport) {
        let problem = try AttentionProblem(inputs, options)
        let outputs = try problem.makeOutputs(for: inputs) { (bytes) throws(AttentionError) in
            try HostStorage(byteCount: bytes)
        }
        return (outputs, try backend.plan(problem, policy).run(problem, inputs, outputs, control))
    }

    static func numbers(_ shape: [Int], _ seed: Int, _ elementType: ElementType = .float32) throws -> Tensor {
        try Tensor(
            (0..<shape.reduce(1, *)).map { Double(Float(($0 &* 2_654_435_761 &+ seed) % 1009) / 504 - 1) },
            shape: shape,
            elementType: elementType)
    }
}
