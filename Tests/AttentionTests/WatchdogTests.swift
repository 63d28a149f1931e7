import Foundation
import Testing

@testable import Attention

/// Devices that give no answer.
@Suite struct WatchdogTests {
    private static let limit = Duration.milliseconds(20)
    /// For what is not stuck, however busy the machine is.
    private static let patience = Duration.seconds(600)

    private func watched(_ backend: StuckBackend, limit: Duration = Self.limit, rests: Bool = true) -> Device {
        var device = Device.quiet(backend, now: StoppedClock().now)
        device.timeLimit = limit
        if !rests { device.restTime = .zero }
        return device
    }

    /// Until everything that was abandoned has ended.
    private func settle(_ device: Device) {
        for _ in 0..<120_000 where device.statistics.abandonedCalls > 0 { usleep(500) }
        #expect(device.statistics.abandonedCalls == 0)
    }

    @Test(.timeLimit(.minutes(5)), arguments: [false, true]) func aLateKernelDoesNotReachTheCaller(onDevice: Bool)
        throws
    {
        let backend = StuckBackend(.run)
        // Copies to and from the device are watched as well, and must be done in time.
        let limit = onDevice ? .milliseconds(500) : Self.limit
        let device = watched(backend, limit: limit)
        let control = RunControl()
        let inputs = try smallInputs()
        var operands = inputs
        if onDevice { operands.query = try inputs.query.moved(to: device) }
        let whole = try Tensor([Float](repeating: 42, count: 2 * 4 * 5 * 8), shape: [2, 4, 5, 8])
        let storage = onDevice ? try whole.moved(to: device) : whole
        let output = try storage.sliced(axis: 3, 1..<7)
        let result = try device.attend(operands, into: output, control: control)
        let before = try storage.contiguousBytes()
        #expect(try output.contiguousBytes() == inputs.expected())
        #expect(result.device.kind == .reference)
        #expect(
            result.fallbacks == [
                Fallback(
                    from: "Fake GPU",
                    reason: "Fake GPU failed: it gave no answer within \(limit.inWords); its queue is abandoned")
            ])
        #expect(device.statistics.abandonedCalls == 1)
        #expect(device.resting != nil)
        // It rests: nobody else gets stuck.
        #expect(try device.attend(operands).fallbacks.first?.reason.contains("resting") == true)
        #expect(backend.runs.load(ordering: .relaxed) == 1)
        backend.letGo()
        settle(device)
        #expect(backend.ended.load(ordering: .relaxed) == 1)
        #expect(backend.cancelled.load(ordering: .relaxed) == 1, "the abandoned run was not told to stop")
        try control.check()
        #expect(try storage.contiguousBytes() == before, "a late kernel wrote to the caller's memory")
        #expect(try whole.sliced(axis: 3, 0..<1).floats().allSatisfy { $0 == 42 })
    }

    @Test(.timeLimit(.minutes(5))) func newResultsAndAllTensorsAreSafeToo() throws {
        let backend = StuckBackend(.run)
        let device = watched(backend, rests: false)
        let inputs = try smallInputs()
        let given = AttentionOutputs(
            output: try Tensor(uninitialized: [2, 4, 5, 6]), logSumExp: try Tensor(uninitialized: [2, 4, 5]))
        let all = try device.attend(inputs, .init(logSumExp: true), into: given)
        let fresh = try device.attend(inputs, .init(logSumExp: true))
        let before = try (all.outputs.all + fresh.outputs.all).map { try $0.contiguousBytes() }
        backend.letGo()
        settle(device)
        #expect(try (all.outputs.all + fresh.outputs.all).map { try $0.contiguousBytes() } == before)
        #expect(try before[0] == inputs.expected() && before[0] == before[2] && before[1] == before[3])
    }

    /// The compiler hangs and holds its lock for ever: those that wait for it are given up in their turn.
    @Test(.timeLimit(.minutes(5))) func aCompilerThatHangsHoldsNobodyUp() throws {
        let backend = StuckBackend(.plan)
        let device = watched(backend, rests: false)
        let inputs = try smallInputs()
        for count in 1...3 {
            let result = try device.attend(inputs)
            #expect(try result.output.contiguousBytes() == inputs.expected())
            #expect(device.statistics.abandonedCalls == count)
        }
        let plan = try device.attentionPlan(for: inputs)
        #expect(plan.fallbacks.first?.reason.contains("gave no answer within 20 ms") == true)
        #expect(throws: AttentionError.self) { try device.attentionPlan(for: inputs, fallback: .never) }
        #expect(throws: AttentionError.self) { try device.attend(inputs, fallback: .never) }
        backend.letGo()
        settle(device)
        let built = backend.plans.load(ordering: .relaxed)
        var patient = device
        patient.timeLimit = Self.patience
        let (late, quick) = (patient, plan)
        #expect(try late.attend(inputs).fallbacks.isEmpty)
        #expect(backend.plans.load(ordering: .relaxed) == built, "what was built late serves later calls")
        #expect(try quick.attend(inputs).output.contiguousBytes() == inputs.expected())
    }

    @Test(.timeLimit(.minutes(5))) func neverThrowsWhenTheTimeIsOver() throws {
        let backend = StuckBackend(.run)
        let device = watched(backend)
        let inputs = try smallInputs()
        let error = #expect(throws: AttentionError.self) { try device.attend(inputs, fallback: .never) }
        guard case .deviceFailed("Fake GPU", let detail) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(detail == "it gave no answer within 20 ms; its queue is abandoned")
        backend.letGo()
        settle(device)
    }

    @Test(.timeLimit(.minutes(5))) func oneThatFollowsAndHangsIsGivenUpToo() throws {
        let second = StuckBackend(.run, .fake("opencl:1.0", "Stuck CPU", .cpu))
        var device = Device.quiet(
            FakeBackend(planError: .deviceFailed(device: "fake", detail: "clBuildProgram")), others: [.cpu: second])
        device.timeLimit = Self.limit
        let inputs = try smallInputs()
        let output = try Tensor(uninitialized: [2, 4, 5, 6])
        let result = try device.attend(inputs, into: output, fallback: .ordered([.cpu, .reference]))
        #expect(result.fallbacks.map(\.from) == ["Fake GPU", "Stuck CPU"])
        second.letGo()
        settle(device)
        #expect(try output.contiguousBytes() == inputs.expected())
    }

    /// A driver that hangs does not notice; the call ends all the same, long before its limit, and says nothing of the device.
    @Test(.timeLimit(.minutes(5))) func aCancelledCallThatHangsEndsAtOnce() throws {
        let control = RunControl()
        let backend = StuckBackend(.run, cancelling: control)
        let device = watched(backend, limit: Self.patience)
        let inputs = try smallInputs()
        #expect(throws: AttentionError.cancelled) { try device.attend(inputs, control: control) }
        #expect(device.resting == nil)
        #expect(device.statistics.abandonedCalls == 1)
        backend.letGo()
        settle(device)
    }

    @Test(.timeLimit(.minutes(5)), arguments: [false, true]) func whatAnswersInTimeIsNotTouched(onDevice: Bool) throws {
        let backend = StuckBackend(.nowhere)
        var device = Device.quiet(backend)
        device.timeLimit = Self.patience
        let inputs = try smallInputs()
        var operands = inputs
        if onDevice { operands.query = try inputs.query.moved(to: device) }
        let fresh = try device.attend(operands)
        #expect(fresh.fallbacks.isEmpty && device.resting == nil && device.statistics.abandonedCalls == 0)
        #expect(device.holds(fresh.output) == onDevice)
        #expect(try fresh.output.contiguousBytes() == inputs.expected())
        // Any strides: the rows of this one are backwards.
        let target = try Tensor(uninitialized: [2, 4, 5, 6])
        let turned = try target.viewed(shape: [2, 4, 5, 6], strides: [120, 30, -6, 1], offset: 24)
        #expect(try device.attend(operands, into: turned).output.contiguousBytes() == inputs.expected())
        let columns = try Tensor(uninitialized: [6, 5, 4, 2]).permuted([3, 2, 1, 0])
        #expect(try device.attend(operands, into: columns).output.contiguousBytes() == inputs.expected())
    }

    @Test(.timeLimit(.minutes(5))) func errorsComeThroughTheLimit() throws {
        var device = Device.quiet(FakeBackend(planError: .invalid("query", .shape, expected: "one", found: "two")))
        device.timeLimit = Self.patience
        let inputs = try smallInputs()
        let quick = device
        #expect(throws: AttentionError.invalid("query", .shape, expected: "one", found: "two")) {
            try quick.attend(inputs)
        }
    }

    /// The caller's tensor is in the memory of a device that does not answer: there is no output, and the call ends.
    @Test(.timeLimit(.minutes(5))) func memoryThatCannotBeReachedEndsTheCall() throws {
        let backend = StuckBackend(.nowhere)
        let device = watched(backend)
        let inputs = try smallInputs()
        let output = try Tensor(
            storage: StuckStorage(byteCount: 2 * 4 * 5 * 6 * 4, backend),
            layout: TensorLayout(contiguous: [2, 4, 5, 6]),
            elementType: .float32)
        #expect(throws: AttentionError.self) { try device.attend(inputs, into: output) }
        backend.letGo()
        settle(device)
    }
}

/// Memory of a device that does not answer.
private final class StuckStorage: TensorStorage {
    let byteCount: Int
    let backend: StuckBackend
    var place: String { backend.device.name }
    var hostBytes: UnsafeMutableRawBufferPointer? { nil }

    init(byteCount: Int, _ backend: StuckBackend) {
        self.byteCount = byteCount
        self.backend = backend
    }

    func download(from offset: Int, into bytes: UnsafeMutableRawBufferPointer) throws(AttentionError) { backend.hang() }
    func upload(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(AttentionError) { backend.hang() }
}
