import AttentionReference
import Foundation
import Synchronization
import Testing

@testable import Attention

/// Devices that give no answer.
@Suite struct TimeLimitTests {
    /// Hangs until it is let go, in making plans or in running them, and writes its result then.
    private final class HangingBackend: Backend {
        let device = DeviceDescription.fake()
        let hangsInPlan: Bool
        let isLetGo = Atomic<Bool>(false)
        let written = Atomic<Bool>(false)

        init(inPlan: Bool) { hangsInPlan = inPlan }

        func hang() { while !isLetGo.load(ordering: .acquiring) { usleep(500) } }

        func plan(_ problem: AttentionProblem, _ policy: PlanPolicy) throws(AttentionError) -> any BackendPlan {
            if hangsInPlan { hang() }
            return Plan(backend: self, inner: try ReferenceBackend().plan(problem, PlanPolicy()))
        }

        func makeStorage(byteCount: Int) throws(AttentionError) -> any TensorStorage {
            try HostStorage(byteCount: byteCount)
        }

        struct Plan: BackendPlan {
            let backend: HangingBackend
            let inner: any BackendPlan
            var explanation: PlanExplanation { inner.explanation }

            func run(
                _ problem: AttentionProblem, _ inputs: AttentionInputs, _ outputs: AttentionOutputs,
                _ control: RunControl
            ) throws(AttentionError) -> RunReport {
                if !backend.hangsInPlan { backend.hang() }
                try outputs.output.write([Double](repeating: 666, count: outputs.output.count))
                backend.written.store(true, ordering: .releasing)
                return RunReport(kernel: "late", build: .native, scratchBytes: 0)
            }
        }
    }

    @Test(.timeLimit(.minutes(5)), arguments: [false, true])
    func aDeviceThatHangsIsAbandonedAndWritesToNobodysMemory(inPlan: Bool) throws {
        let backend = HangingBackend(inPlan: inPlan)
        let device = Device.quiet(backend, restTime: .seconds(30))
        let inputs = try smallInputs()
        let target = try Tensor(uninitialized: [2, 4, 5, 6])
        let result = try device.attend(inputs, into: target, control: RunControl(timeLimit: .milliseconds(50)))
        #expect(result.device.kind == .reference)
        #expect(
            result.fallbacks.first?.reason.contains("no answer within 0.05 seconds; its queue is abandoned") == true)
        #expect(device.rest != nil)
        let expected = try inputs.expected()
        #expect(try target.contiguousBytes() == expected)
        backend.isLetGo.store(true, ordering: .releasing)
        while !backend.written.load(ordering: .acquiring) { usleep(500) }
        #expect(try target.contiguousBytes() == expected, "the abandoned run wrote elsewhere")
    }

    @Test(.timeLimit(.minutes(5))) func neverThrowsWhenTheLimitPasses() throws {
        let backend = HangingBackend(inPlan: false)
        let inputs = try smallInputs()
        let error = #expect(throws: AttentionError.self) {
            try Device.quiet(backend).attend(
                inputs, fallback: .never, control: RunControl(timeLimit: .milliseconds(30)))
        }
        guard case .deviceFailed(_, let detail)? = error else { throw error ?? .cancelled }
        #expect(detail.contains("abandoned"))
        backend.isLetGo.store(true, ordering: .releasing)
    }

    @Test(.timeLimit(.minutes(5))) func cancellingDoesNotWaitForTheLimit() async throws {
        let backend = HangingBackend(inPlan: false)
        let inputs = try smallInputs()
        let control = RunControl(timeLimit: .seconds(3600))
        let task = Task { try await Device.quiet(backend).attend(inputs, control: control) }
        try await Task.sleep(for: .milliseconds(20))
        control.cancel()
        await #expect(throws: AttentionError.cancelled) { try await task.value }
        backend.isLetGo.store(true, ordering: .releasing)
    }

    /// With a limit that does not pass, results are those of a call without one, for every kind of target.
    @Test func aLimitThatDoesNotPassChangesNothing() throws {
        let inputs = try smallInputs()
        let expected = try inputs.expected()
        let device = Device.quiet(FakeBackend(failingRun: 3))
        let control = RunControl(timeLimit: .seconds(60))
        #expect(try device.attend(inputs, control: control).output.contiguousBytes() == expected)
        let whole = try Tensor([Float](repeating: 42, count: 2 * 4 * 5 * 8), shape: [2, 4, 5, 8])
        let output = try whole.sliced(axis: 3, 1..<7)
        #expect(try device.attend(inputs, into: output, control: control).fallbacks.isEmpty)
        #expect(try output.contiguousBytes() == expected)
        #expect(try whole.sliced(axis: 3, 0..<1).floats().allSatisfy { $0 == 42 })
        let all = AttentionOutputs(output: try Tensor(uninitialized: [2, 4, 5, 6]))
        let third = try device.attend(inputs, into: all, control: control)
        #expect(third.fallbacks.count == 1)
        #expect(try all.output.contiguousBytes() == expected)
    }
}
