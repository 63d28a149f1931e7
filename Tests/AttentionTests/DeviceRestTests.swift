import Foundation
import Testing

@testable import Attention

/// A device that failed is left alone for a while, by all copies of it.
@Suite struct DeviceRestTests {
    static let failure = AttentionError.deviceFailed(device: "fake", detail: "clFinish: CL_OUT_OF_RESOURCES")

    private let clock = StoppedClock()

    private func runs(_ backend: FakeBackend) -> Int { backend.runs.load(ordering: .relaxed) }

    @Test func aRestingDeviceIsNotTried() throws {
        let backend = FakeBackend(failingRun: 1)
        let device = Device.quiet(backend, now: clock.now)
        let copy = device
        let inputs = try smallInputs()
        #expect(device.resting == nil)
        #expect(try device.attend(inputs).fallbacks.first?.reason == "\(Self.failure)")
        #expect(device.resting?.remaining == .seconds(30))
        #expect(device.resting?.error == Self.failure)
        clock.advance(by: .milliseconds(18_500))
        for _ in 0..<3 {
            let result = try copy.attend(inputs)
            #expect(
                result.fallbacks == [
                    Fallback(from: "Fake GPU", reason: "resting for another 12 s after: \(Self.failure)")
                ])
            #expect(try result.output.contiguousBytes() == inputs.expected())
        }
        #expect(runs(backend) == 1)
        clock.advance(by: .milliseconds(11_499))
        #expect(try device.attend(inputs).fallbacks.first?.reason.contains("another 1 ms after") == true)
        #expect(runs(backend) == 1)
        clock.advance(by: .milliseconds(1))
        #expect(copy.resting == nil)
        #expect(try copy.attend(inputs).fallbacks.isEmpty)
        #expect(runs(backend) == 2)
    }

    @Test func repeatedFailuresLengthenTheRest() throws {
        let backend = FakeBackend(planError: Self.failure)
        let device = Device.quiet(backend, now: clock.now)
        let inputs = try smallInputs()
        for seconds in [30, 60, 120, 240, 480, 480, 480] {
            _ = try device.attend(inputs)
            #expect(device.resting?.remaining == .seconds(seconds))
            clock.advance(by: .seconds(seconds))
        }
        device.wake()
        _ = try device.attend(inputs)
        #expect(device.resting?.remaining == .seconds(30))
    }

    @Test func successForgetsEarlierFailures() throws {
        let backend = FakeBackend(failingRuns: [1, 2, 4])
        let device = Device.quiet(backend, now: clock.now)
        let inputs = try smallInputs()
        for seconds in [30, 60, 0, 30] {
            _ = try device.attend(inputs)
            #expect((device.resting?.remaining ?? .zero) == .seconds(seconds))
            clock.advance(by: .seconds(seconds))
        }
    }

    @Test func wakingEndsTheRest() throws {
        let backend = FakeBackend(failingRun: 1)
        let device = Device.quiet(backend, now: clock.now)
        let inputs = try smallInputs()
        _ = try device.attend(inputs)
        device.wake()
        #expect(device.resting == nil)
        #expect(try device.attend(inputs).fallbacks.isEmpty)
    }

    @Test func neverTriesARestingDeviceAndItsSuccessCounts() throws {
        let backend = FakeBackend(failingRuns: [1, 2])
        let device = Device.quiet(backend, now: clock.now)
        let inputs = try smallInputs()
        #expect(throws: Self.failure) { try device.attend(inputs, fallback: .never) }
        clock.advance(by: .seconds(10))
        // A failure during the rest does not lengthen it.
        #expect(throws: Self.failure) { try device.attend(inputs, fallback: .never) }
        #expect(device.resting?.remaining == .seconds(20))
        #expect(try device.attend(inputs, fallback: .never).fallbacks.isEmpty)
        #expect(device.resting == nil)
    }

    @Test(arguments: [
        AttentionError.outOfMemory(bytes: 1 << 50, device: "fake"), .unsupported(device: "fake", reason: "f64"),
    ])
    func whatSaysNothingAboutTheDeviceDoesNotRestIt(_ error: AttentionError) throws {
        let device = Device.quiet(FakeBackend(failingRun: 1, runError: error), now: clock.now)
        let inputs = try smallInputs()
        #expect(try device.attend(inputs).fallbacks.count == 1)
        #expect(device.resting == nil)
        #expect(try device.attend(inputs).fallbacks.isEmpty)
    }

    @Test func theTimeIsSettable() throws {
        var device = Device.quiet(FakeBackend(failingRuns: [1, 2, 3]), now: clock.now)
        let inputs = try smallInputs()
        device.restTime = .zero
        _ = try device.attend(inputs)
        #expect(device.resting == nil)
        device.restTime = .milliseconds(1)
        _ = try device.attend(inputs)
        #expect(device.resting?.remaining == .milliseconds(1))
        // Zero heeds no rest either.
        device.restTime = .zero
        #expect(try device.attend(inputs).fallbacks.first?.reason == "\(Self.failure)")
    }

    @Test(.timeLimit(.minutes(5))) func oneCallTriesAgainAndTheOthersPassBy() async throws {
        let backend = FakeBackend(failingRun: 1, waitingRun: 2)
        let device = Device.quiet(backend, now: clock.now)
        let inputs = try smallInputs()
        _ = try await device.attend(inputs)
        clock.advance(by: .seconds(30))
        let trial = Task { try await device.attend(inputs) }
        while backend.waiting.load(ordering: .relaxed) == 0 { await Task.yield() }
        let reason = try await device.attend(inputs).fallbacks.first?.reason
        #expect(reason == "being tried again after: \(Self.failure)")
        #expect(device.resting?.remaining == .zero)
        trial.cancel()
        await #expect(throws: AttentionError.cancelled) { try await trial.value }
        // That one learned nothing: the next one tries.
        #expect(try await device.attend(inputs).fallbacks.isEmpty)
        #expect(device.resting == nil)
    }

    @Test func aRestNeverCostsTheResult() throws {
        let last = FakeBackend(
            .fake("reference", "Last", .reference), planError: .outOfMemory(bytes: 7, device: "host"))
        let device = Device.quiet(FakeBackend(failingRuns: [1, 3]), lastResort: last, now: clock.now)
        let inputs = try smallInputs()
        #expect(throws: Self.failure) { try device.attend(inputs) }
        let result = try device.attend(inputs)
        #expect(result.device.name == "Fake GPU")
        #expect(result.fallbacks.map(\.from) == ["Last"])
        #expect(try result.output.contiguousBytes() == inputs.expected())
        #expect(throws: Self.failure) { try device.attend(inputs) }
    }

    @Test func thoseThatFollowRestAsWell() throws {
        let cpu = FakeBackend(.fake("opencl:1.0", "Fake CPU", .cpu), planError: Self.failure)
        let device = Device.quiet(FakeBackend(planError: Self.failure), others: [.cpu: cpu], now: clock.now)
        let inputs = try smallInputs()
        for _ in 0..<3 {
            let result = try device.attend(inputs, fallback: .ordered([.cpu, .reference]))
            #expect(result.fallbacks.map(\.from) == ["Fake GPU", "Fake CPU"])
        }
        #expect(cpu.plans.load(ordering: .relaxed) == 1)
        clock.advance(by: .seconds(30))
        _ = try device.attend(inputs, fallback: .ordered([.cpu, .reference]))
        #expect(cpu.plans.load(ordering: .relaxed) == 2)
    }

    @Test(.timeLimit(.minutes(5)), arguments: [nil, Duration.seconds(600)])
    func eightTasksWhileTheDeviceFails(limit: Duration?) async throws {
        let backend = FakeBackend(failingRuns: Set(1...1000))
        var device = Device.quiet(backend, now: clock.now)
        device.timeLimit = limit
        let inputs = try smallInputs()
        let expected = try inputs.expected()
        let wrong = try await withThrowingTaskGroup(of: Int.self) { [device] group in
            for _ in 0..<8 {
                group.addTask {
                    var wrong = 0
                    for _ in 0..<50 {
                        let result = try await device.attend(inputs)
                        if try result.output.contiguousBytes() != expected || result.fallbacks.count != 1 { wrong += 1 }
                    }
                    return wrong
                }
            }
            return try await group.reduce(0, +)
        }
        #expect(wrong == 0)
        // Those that were under way when it began to rest, and nobody else; together they are one failure.
        #expect((1...8).contains(runs(backend)))
        #expect(device.resting?.remaining == .seconds(30))
    }

    @Test func aCallOfBeforeTheRestSaysNothingAboutIt() {
        let keeper = RestKeeper(now: clock.now)
        func enter() -> RestKeeper.Visit? {
            if case .go(let visit) = keeper.enter(heedsRest: true) { visit } else { nil }
        }
        guard let first = enter(), let second = enter(), let third = enter() else {
            Issue.record("it rests from the beginning")
            return
        }
        #expect(keeper.leave(first, .failed(Self.failure), restTime: .seconds(1)) == .seconds(1))
        #expect(keeper.leave(second, .worked, restTime: .seconds(1)) == nil)
        #expect(keeper.current != nil)
        clock.advance(by: .seconds(1))
        #expect(keeper.leave(third, .failed(Self.failure), restTime: .seconds(1)) == nil)
        #expect(keeper.current == nil)
        #expect(enter() != nil && enter() == nil)
    }
}
