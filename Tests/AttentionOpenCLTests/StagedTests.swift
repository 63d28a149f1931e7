import AttentionCore
import Testing

@testable import AttentionOpenCL

/// The staged kernels on every usable OpenCL device of this machine.
@Suite(.serialized) struct StagedTests {
    @Test func equalKeysGiveTheMeanOfTheValues() throws {
        for candidate in Machine.devices {
            let inputs = AttentionInputs(
                query: try Tensor([Float](repeating: 1, count: 30), shape: [1, 2, 3, 5]),
                key: try Tensor([Float](repeating: 0.25, count: 40), shape: [1, 2, 4, 5]),
                value: try Tensor((0..<16).map { Float($0) }, shape: [1, 2, 4, 2]))
            let (outputs, report) = try Machine.run(
                try candidate.makeBackend(), inputs, AttentionOptions(), PlanPolicy(kernel: "staged"),
                RunControl(isProfiled: true))
            let expected: [Float] = [3, 4, 3, 4, 3, 4, 11, 12, 11, 12, 11, 12]
            let found = try outputs.output.floats()
            #expect(zip(found, expected).allSatisfy { abs($0 - $1) < 1e-5 }, "\(candidate.description.name): \(found)")
            #expect(report.kernel == "staged")
            #expect(report.kernelNanoseconds != nil)
        }
    }

    /// Where a call is cut to fit the workspace changes no bit of it.
    @Test func piecesGiveTheSameBits() throws {
        for candidate in Machine.devices {
            let backend = try candidate.makeBackend()
            var inputs = AttentionInputs(
                query: try Machine.numbers([2, 4, 100, 24], 1), key: try Machine.numbers([2, 2, 70, 24], 2),
                value: try Machine.numbers([2, 2, 70, 17], 3), mask: .causal)
            inputs.keyLengths = [70, 33]
            let options = AttentionOptions(scores: .probabilities, logSumExp: true)
            let (whole, _) = try Machine.run(backend, inputs, options, PlanPolicy())
            for limit in [1, 20_000, 60_000] {
                let (cut, report) = try Machine.run(backend, inputs, options, PlanPolicy(workspaceLimit: limit))
                #expect(report.scratchBytes <= max(limit, 32 * 71 * 4), "\(candidate.description.name)")
                #expect(try cut.output.contiguousBytes() == whole.output.contiguousBytes())
                #expect(try cut.scores?.contiguousBytes() == whole.scores?.contiguousBytes())
                #expect(try cut.logSumExp?.contiguousBytes() == whole.logSumExp?.contiguousBytes())
            }
        }
    }

    @Test func refusesWhatItCannotRun() throws {
        for candidate in Machine.devices {
            let backend = try candidate.makeBackend()
            let double = try Tensor([1.0, 2.0], shape: [1, 1, 1, 2], elementType: .float64)
            let single = try Machine.numbers([1, 1, 1, 2], 1)
            for (tensor, policy) in [
                (double, PlanPolicy()), (single, PlanPolicy(kernel: "none such")),
                (single, PlanPolicy(family: "none such")),
            ] {
                let inputs = AttentionInputs(query: tensor, key: tensor, value: tensor)
                let problem = try AttentionProblem(inputs)
                #expect {
                    _ = try backend.plan(problem, policy)
                } throws: { error in
                    guard case .unsupported? = error as? AttentionError else { return false }
                    return true
                }
            }
        }
    }

    @Test func emptyMemoryMovesToADeviceAndBack() throws {
        for candidate in Machine.devices {
            let storage = try candidate.makeBackend().makeStorage(byteCount: 0)
            try storage.upload(UnsafeRawBufferPointer(start: nil, count: 0), at: 0)
            let tensor = try Tensor(
                storage: storage, layout: try TensorLayout(contiguous: [2, 0, 3]), elementType: .float32)
            #expect(try tensor.floats() == [])
        }
    }

    @Test func aCancelledCallStops() throws {
        for candidate in Machine.devices {
            let control = RunControl()
            control.cancel()
            let tensor = try Machine.numbers([1, 1, 1, 2], 1)
            let inputs = AttentionInputs(query: tensor, key: tensor, value: tensor)
            #expect(throws: AttentionError.cancelled) {
                _ = try Machine.run(try candidate.makeBackend(), inputs, AttentionOptions(), PlanPolicy(), control)
            }
        }
    }
}
