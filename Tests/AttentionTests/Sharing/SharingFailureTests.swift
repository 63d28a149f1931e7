import AttentionCore
import Testing

@testable import Attention

/// Devices of a group that fail in the middle of a call.
@Suite struct SharingFailureTests {
    private static let errors: [AttentionError] = [
        .deviceFailed(device: "A", detail: "clFinish: CL_OUT_OF_RESOURCES"),
        .outOfMemory(bytes: 1 << 40, device: "A"), .unsupported(device: "A", reason: "f16"),
    ]

    private func pair(
        _ rule: CutAxis.Rule, first: FakeBackend, now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
    ) throws -> (group: Device, second: FakeBackend) {
        let second = FakeBackend(.fake("opencl:1.0", "B"))
        return (try Device.sharing([first, second], rule, now: now), second)
    }

    /// Its share is computed by the other, complete and right, whichever call it dies in.
    @Test(arguments: CutAxis.allCases, [1, 2]) func theOtherComputesTheShare(_ axis: CutAxis, _ call: Int) throws {
        for error in Self.errors {
            let first = FakeBackend(.fake("opencl:0.0", "A"), failingRun: call, runError: error)
            let (group, second) = try pair(.forced(axis), first: first)
            let inputs = try smallInputs()
            let right = try Device.reference.attend(inputs, .init(logSumExp: true))
            for number in 1...call {
                let result = try group.attend(inputs, .init(logSumExp: true), fallback: .never)
                for (one, other) in zip(result.outputs.all, right.outputs.all) {
                    for (value, expected) in zip(try one.floats(), try other.floats()) {
                        #expect(abs(value - expected) < 1e-6)
                    }
                }
                #expect(result.device.kind == .group)
                #expect(result.fallbacks == (number == call ? [Fallback(from: "A", reason: "\(error)")] : []))
            }
            #expect(second.runs.load(ordering: .relaxed) == call + 1)
        }
    }

    @Test func aDeviceThatCannotPlanIsLeftOut() throws {
        for error in Self.errors {
            let first = FakeBackend(.fake("opencl:0.0", "A"), planError: error)
            let (group, second) = try pair(.forced(.heads), first: first)
            let inputs = try smallInputs()
            let plan = try group.attentionPlan(for: inputs)
            #expect(plan.explanation.refusals.contains { $0.hasPrefix("A: ") })
            #expect(try plan.attend(inputs, fallback: .never).output.contiguousBytes() == inputs.expected())
            #expect(second.runs.load(ordering: .relaxed) == 1)
            #expect(first.runs.load(ordering: .relaxed) == 0)
        }
    }

    @Test func aDeviceThatFailedRestsAndComesBack() throws {
        let clock = StoppedClock()
        let first = FakeBackend(.fake("opencl:0.0", "A"), failingRun: 1)
        let (group, second) = try pair(.forced(.heads), first: first, now: clock.now)
        let inputs = try smallInputs()
        func call() throws -> AttentionResult {
            let result = try group.attend(inputs, fallback: .never)
            #expect(try result.output.contiguousBytes() == inputs.expected())
            return result
        }
        _ = try call()
        // Both shares of the first call.
        #expect(second.runs.load(ordering: .relaxed) == 2)
        let meanwhile = try call()
        #expect(meanwhile.fallbacks.first?.reason.contains("resting for another 30 s") == true)
        #expect(first.runs.load(ordering: .relaxed) == 1)
        #expect(second.runs.load(ordering: .relaxed) == 3)
        clock.advance(by: .seconds(31))
        #expect(try call().fallbacks.isEmpty)
        #expect(first.runs.load(ordering: .relaxed) == 2)
        #expect(second.runs.load(ordering: .relaxed) == 4)
    }

    /// The group fails with what failed first, and the call goes on as its policy says.
    @Test func ifAllFailTheCallFallsBack() throws {
        let first = FakeBackend(.fake("opencl:0.0", "A"), failingRuns: [1, 2], runError: Self.errors[0])
        let other = AttentionError.outOfMemory(bytes: 3, device: "B")
        let second = FakeBackend(.fake("opencl:1.0", "B"), failingRuns: [1, 2, 3], runError: other)
        let inputs = try smallInputs()
        let group = try Device.sharing([first, second], .forced(.heads))
        #expect(throws: Self.errors[0]) { try group.attend(inputs, fallback: .never) }
        let again = try Device.sharing(
            [FakeBackend(failingRun: 1), FakeBackend(.fake("opencl:1.0", "B"), failingRun: 1)], .forced(.heads))
        let result = try again.attend(inputs, fallback: .ordered([.reference]))
        #expect(result.device.kind == .reference)
        #expect(try result.output.contiguousBytes() == inputs.expected())
    }

    /// A resting device is asked after all if nobody else is left.
    @Test func aRestCostsNoResult() throws {
        let clock = StoppedClock()
        let first = FakeBackend(.fake("opencl:0.0", "A"), failingRun: 1)
        let second = FakeBackend(.fake("opencl:1.0", "B"), failingRun: 3)
        let group = try Device.sharing([first, second], .forced(.heads), now: clock.now)
        let inputs = try smallInputs()
        _ = try group.attend(inputs, fallback: .never)
        let result = try group.attend(inputs, fallback: .never)
        #expect(try result.output.contiguousBytes() == inputs.expected())
        #expect(result.fallbacks.map(\.from) == ["B"])
    }

    /// What dies late writes to memory that nobody reads.
    @Test(.timeLimit(.minutes(1))) func aStuckDeviceIsGivenUp() throws {
        let stuck = StuckBackend(.run, .fake("opencl:0.0", "Stuck"))
        var first = Device.quiet(stuck)
        first.timeLimit = .milliseconds(50)
        let second = FakeBackend(.fake("opencl:1.0", "B"))
        let group = try Device.group([first, .quiet(second)]) { SharingBackend($0, rule: .forced(.heads)) }
        let inputs = try smallInputs()
        let result = try group.attend(inputs, fallback: .never)
        stuck.letGo()
        #expect(try result.output.contiguousBytes() == inputs.expected())
        #expect(result.fallbacks.first?.reason.contains("it gave no answer within 50 ms") == true)
    }
}
