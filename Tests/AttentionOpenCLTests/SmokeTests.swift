import AttentionCore
import AttentionOpenCL
import Testing

/// Every usable OpenCL device of this machine.
func usableCandidates() -> [OpenCLCandidate] {
    let count = (try? OpenCLDiscovery.platformCount()) ?? 0
    return (0..<count).flatMap { (try? OpenCLDiscovery.candidates(platform: $0)) ?? [] }
        .filter { $0.unsuitableReason == nil }
}

@Suite struct SmokeTests {
    @Test func attentionOfEqualKeysIsTheMeanOfTheValues() throws {
        for candidate in usableCandidates() {
            let backend = try candidate.makeBackend()
            let query = try Tensor([Float](repeating: 1, count: 2 * 3 * 5), shape: [1, 2, 3, 5])
            let key = try Tensor([Float](repeating: 0.25, count: 2 * 4 * 5), shape: [1, 2, 4, 5])
            let value = try Tensor((0..<2 * 4 * 2).map { Float($0) }, shape: [1, 2, 4, 2])
            let inputs = AttentionInputs(query: query, key: key, value: value)
            let problem = try AttentionProblem(inputs, AttentionOptions(logSumExp: true))
            let outputs = try problem.makeOutputs(for: inputs) { (bytes) throws(AttentionError) in
                try HostStorage(byteCount: bytes)
            }
            let plan = try backend.plan(problem, PlanPolicy())
            let report = try plan.run(problem, inputs, outputs, RunControl(isProfiled: true))
            let expected: [Float] = [3, 4, 3, 4, 3, 4, 11, 12, 11, 12, 11, 12]
            let found = try outputs.output.floats()
            #expect(zip(found, expected).allSatisfy { abs($0 - $1) < 1e-5 }, "\(candidate.description.name): \(found)")
            #expect(report.kernel == "staged")
        }
    }
}
