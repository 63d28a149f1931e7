import Testing

@testable import Attention

/// Calls from tasks: many at once, and cancelled ones.
@Suite struct DeviceTaskTests {
    @Test(.timeLimit(.minutes(10))) func eightTasksGetTheSameBits() async throws {
        let device = Device.quiet(FakeBackend())
        let inputs = try smallInputs()
        let expected = try inputs.expected()
        let plan = try device.attentionPlan(for: inputs)
        let wrong = try await withThrowingTaskGroup(of: Int.self) { group in
            for task in 0..<8 {
                group.addTask {
                    var wrong = 0
                    for _ in 0..<200 {
                        // Half of the tasks share a plan.
                        let result =
                            task.isMultiple(of: 2) ? try await device.attend(inputs) : try await plan.attend(inputs)
                        if try result.output.contiguousBytes() != expected { wrong += 1 }
                    }
                    return wrong
                }
            }
            return try await group.reduce(0, +)
        }
        #expect(wrong == 0)
    }

    @Test func theFreeFunctionsHaveAnAsyncForm() async throws {
        let inputs = try smallInputs()
        let shape = AttentionShape(
            batch: 2, queryHeads: 4, keyValueHeads: 2, queryLength: 5, keyLength: 7, headDimension: 8, valueDimension: 6
        )
        let output = try await attention(
            query: inputs.query, key: inputs.key, value: inputs.value, mask: .causal, device: .reference)
        #expect(try output.contiguousBytes() == inputs.expected())
        let array = try await attention(
            query: inputs.query.floats(), key: inputs.key.floats(), value: inputs.value.floats(), shape: shape,
            mask: .causal, device: .reference)
        #expect(try array == output.floats())
        let target = try Tensor(uninitialized: [2, 4, 5, 6])
        let result = try await Device.reference.attend(inputs, into: target)
        #expect(result.output.storage === target.storage)
    }

    @Test(.timeLimit(.minutes(5))) func aTaskCancelledBeforehandComputesNothing() async throws {
        let backend = FakeBackend()
        let device = Device.quiet(backend)
        let inputs = try smallInputs()
        let task = Task {
            while !Task.isCancelled { await Task.yield() }
            return try await device.attend(inputs)
        }
        task.cancel()
        await #expect(throws: AttentionError.cancelled) { try await task.value }
        #expect(backend.plans.load(ordering: .relaxed) == 0)
    }

    @Test(.timeLimit(.minutes(5))) func aRunningCallEndsWhenItsTaskIsCancelled() async throws {
        let backend = FakeBackend(waitsForCancellation: true)
        let device = Device.quiet(backend)
        let inputs = try smallInputs()
        let task = Task { try await device.attend(inputs) }
        while backend.waiting.load(ordering: .relaxed) == 0 { await Task.yield() }
        task.cancel()
        await #expect(throws: AttentionError.cancelled) { try await task.value }
    }

    /// Calls that block on every core: the pool must still run other tasks, such as the one that cancels.
    @Test(.timeLimit(.minutes(5))) func blockedCallsLeaveThePoolFree() async throws {
        let backend = FakeBackend(waitsForCancellation: true)
        let device = Device.quiet(backend)
        let inputs = try smallInputs()
        let tasks = (0..<6).map { _ in Task { try await device.attend(inputs) } }
        // How many the system lets begin is its affair; those that wait for a thread end like the others.
        while backend.waiting.load(ordering: .relaxed) < 2 { try await Task.sleep(for: .milliseconds(5)) }
        for task in tasks { task.cancel() }
        for task in tasks { await #expect(throws: AttentionError.cancelled) { try await task.value } }
    }

    @Test func aControlCancelsABlockingCall() throws {
        let backend = FakeBackend()
        let control = RunControl()
        control.cancel()
        let inputs = try smallInputs()
        #expect(throws: AttentionError.cancelled) { try Device.quiet(backend).attend(inputs, control: control) }
        #expect(backend.plans.load(ordering: .relaxed) == 0)
    }

    /// A device that fails because its caller went away is not worth a second computation.
    @Test func aCancelledCallDoesNotFallBack() throws {
        let last = FakeBackend(.fake("reference", "Last", .reference))
        let control = RunControl()
        let device = Device.quiet(CancellingBackend(control: control), lastResort: last)
        let inputs = try smallInputs()
        #expect(throws: AttentionError.cancelled) { try device.attend(inputs, control: control) }
        #expect(last.plans.load(ordering: .relaxed) == 0)
    }
}

/// Fails after somebody has cancelled the call.
private struct CancellingBackend: Backend {
    let device = DeviceDescription.fake()
    let control: RunControl

    func plan(_ problem: AttentionProblem, _ policy: PlanPolicy) throws(AttentionError) -> any BackendPlan {
        control.cancel()
        throw .deviceFailed(device: device.name, detail: "clFinish")
    }

    func makeStorage(byteCount: Int) throws(AttentionError) -> any TensorStorage {
        try HostStorage(byteCount: byteCount)
    }
}
