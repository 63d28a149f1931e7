import Testing

@testable import Attention

/// Every policy, every error, at every moment, into every kind of memory: the output is right to the last bit or there is none, the
/// inputs are as they were, and so is what stands between the elements of the output.
@Suite struct FallbackMatrixTests {
    enum Target: CaseIterable { case new, output, gapped, all }

    struct Case: CustomStringConvertible, Sendable {
        let moment: FaultyBackend.Moment
        let target: Target
        let onDevice: Bool
        let isWatched: Bool

        var description: String {
            "\(moment), \(target) \(onDevice ? "on the device" : "on the host")\(isWatched ? ", watched" : "")"
        }
    }

    static let cases = FaultyBackend.Moment.allCases.flatMap { moment in
        Target.allCases.flatMap { target in
            [(false, false), (false, true), (true, false), (true, true)].map {
                Case(moment: moment, target: target, onDevice: $0.0, isWatched: $0.1)
            }
        }
    }

    private func operands() throws -> AttentionInputs {
        var inputs = try smallInputs(keyLength: 4)
        var random = Numbers(state: 9)
        inputs.pastKey = try random.tensor([2, 2, 3, 8])
        inputs.pastValue = try random.tensor([2, 2, 3, 6])
        return inputs
    }

    private static let options = AttentionOptions(scores: .masked, logSumExp: true)

    @Test(arguments: cases, DeviceFallbackTests.errors) func completeOrAbsent(_ it: Case, _ error: AttentionError)
        throws
    {
        let host = try operands()
        let expected = try Device.reference.attend(host, Self.options).outputs.all.map { try $0.contiguousBytes() }
        for policy in [FallbackPolicy.automatic, .never, .ordered([.cpu, .gpu, .reference]), .ordered([.reference])] {
            let backend = FaultyBackend(it.moment, error)
            let cpu = FaultyBackend(.end, .deviceFailed(device: "second", detail: "clFinish"))
            var device = Device.quiet(backend, others: [.cpu: OtherName(cpu)])
            if it.isWatched { device.timeLimit = .seconds(600) }
            // Memory of the same device, made while it still gave some.
            let memory = Device.quiet(FakeBackend())
            var inputs = host
            if it.onDevice { inputs.query = try host.query.moved(to: memory) }
            let (outputs, whole) = try targets(it, memory)
            let before = try bytes(inputs)

            func call() throws(AttentionError) -> AttentionResult {
                switch it.target {
                case .new: try device.attend(inputs, Self.options, fallback: policy)
                case .output, .gapped:
                    try device.attend(inputs, Self.options, into: outputs.output, fallback: policy)
                case .all: try device.attend(inputs, Self.options, into: outputs, fallback: policy)
                }
            }
            let result: AttentionResult
            do { result = try call() } catch let thrown {
                #expect(policy == .never && thrown == error, "\(policy): \(thrown)")
                #expect(try bytes(inputs) == before)
                continue
            }
            let fails = backend.failures.load(ordering: .relaxed) > 0
            #expect(fails == !result.fallbacks.isEmpty && (!fails || policy != .never), "\(policy)")
            #expect(try result.outputs.all.map { try $0.contiguousBytes() } == expected, "\(policy)")
            #expect(try bytes(inputs) == before, "\(policy)")
            if it.target != .new { #expect(result.output.storage === outputs.output.storage) }
            if let whole {
                #expect(try whole.sliced(axis: 3, 0..<1).floats().allSatisfy { $0 == 42 })
                #expect(try whole.sliced(axis: 3, 7..<8).floats().allSatisfy { $0 == 42 })
            }
            guard fails else { continue }
            var names = ["Fake GPU"]
            if policy == .ordered([.cpu, .gpu, .reference]) { names += ["Second", "gpu"] }
            #expect(result.fallbacks.map(\.from) == names)
            #expect(result.fallbacks.first?.reason == "\(error)")
            #expect(result.device.kind == .reference)
        }
    }

    private func bytes(_ inputs: AttentionInputs) throws -> [[UInt8]] {
        try [inputs.query, inputs.key, inputs.value, inputs.pastKey, inputs.pastValue].compactMap {
            try $0?.contiguousBytes()
        }
    }

    /// Tensors of the caller's, and the one that a gapped output is a part of.
    private func targets(_ it: Case, _ memory: Device) throws -> (AttentionOutputs, whole: Tensor?) {
        func tensor(_ shape: [Int]) throws -> Tensor {
            let host = try Tensor([Float](repeating: 42, count: shape.reduce(1, *)), shape: shape)
            return it.onDevice ? try host.moved(to: memory) : host
        }
        let whole = it.target == .gapped ? try tensor([2, 4, 5, 8]) : nil
        let output = try whole?.sliced(axis: 3, 1..<7) ?? tensor([2, 4, 5, 6])
        return (
            AttentionOutputs(
                output: output, logSumExp: try tensor([2, 4, 5]), scores: try tensor([2, 4, 5, 7]),
                presentKey: try tensor([2, 2, 7, 8]), presentValue: try tensor([2, 2, 7, 6])), whole
        )
    }
}

/// A backend under the name of a second device.
private struct OtherName: Backend {
    let backend: FaultyBackend
    var device: DeviceDescription { .fake("opencl:1.0", "Second", .cpu) }

    init(_ backend: FaultyBackend) { self.backend = backend }

    func plan(_ problem: AttentionProblem, _ policy: PlanPolicy) throws(AttentionError) -> any BackendPlan {
        try backend.plan(problem, policy)
    }

    func makeStorage(byteCount: Int) throws(AttentionError) -> any TensorStorage {
        try backend.makeStorage(byteCount: byteCount)
    }
}
