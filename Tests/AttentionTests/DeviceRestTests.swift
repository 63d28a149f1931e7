import AttentionReference
import Locking
import Synchronization
import Testing

@testable import Attention

/// Devices that failed and are left alone for a while, and who goes on meanwhile.
@Suite struct DeviceRestTests {
    private static let failure = AttentionError.deviceFailed(device: "fake", detail: "clFinish: CL_OUT_OF_RESOURCES")

    /// A clock that stands until it is moved.
    private final class Clock: Sendable {
        private let time = Guarded(ContinuousClock.now)
        var now: ContinuousClock.Instant { time.withLock { $0 } }
        func pass(_ duration: Duration) { time.withLock { $0 = $0.advanced(by: duration) } }
    }

    @Test func aDeviceThatFailedRestsAndIsTriedAgain() throws {
        let clock = Clock()
        let backend = FakeBackend(failingRun: 1)
        let device = Device.quiet(backend, restTime: .seconds(30), health: DeviceHealth { clock.now })
        let inputs = try smallInputs()
        #expect(try device.attend(inputs).fallbacks.first?.reason == Self.failure.description)
        clock.pass(.seconds(18))
        let resting = try device.attend(inputs)
        #expect(resting.device.kind == .reference)
        #expect(
            resting.fallbacks.map(\.reason) == ["resting for another 12 s after: clFinish: CL_OUT_OF_RESOURCES"])
        #expect(device.rest?.remaining == .seconds(12))
        #expect(backend.runs.load(ordering: .relaxed) == 1, "it was left alone")
        // Asked for alone, it is tried at once.
        #expect(try device.attend(inputs, fallback: .never).fallbacks.isEmpty)
        #expect(device.rest == nil, "a call that went well ends the rest")
        #expect(try device.attend(inputs).fallbacks.isEmpty)
    }

    @Test func eachFurtherFailureDoublesTheRest() throws {
        let clock = Clock()
        let device = Device.quiet(
            FakeBackend(planError: Self.failure), restTime: .seconds(30), health: DeviceHealth { clock.now })
        let inputs = try smallInputs()
        for seconds in [30, 60, 120, 240, 480, 480] {
            #expect(try device.attend(inputs).fallbacks.count == 1)
            #expect(device.rest?.remaining == .seconds(seconds))
            clock.pass(.seconds(seconds))
            #expect(device.rest == nil)
        }
        #expect(try device.attend(inputs).fallbacks.count == 1)
        device.wake()
        #expect(device.rest == nil)
    }

    @Test(arguments: [
        AttentionError.outOfMemory(bytes: 1 << 40, device: "fake"), .unsupported(device: "fake", reason: "f64"),
    ])
    func whatASmallerOrOtherCallMayDoLetsNobodyRest(_ error: AttentionError) throws {
        let device = Device.quiet(FakeBackend(planError: error), restTime: .seconds(30))
        #expect(try device.attend(smallInputs()).fallbacks.count == 1)
        #expect(device.rest == nil)
    }

    @Test func aRestDoesNotCostTheResult() throws {
        let refusal = AttentionError.unsupported(device: "last", reason: "not this")
        let device = Device.quiet(
            FakeBackend(failingRun: 1), lastResort: FakeBackend(planError: refusal), restTime: .seconds(30))
        let inputs = try smallInputs()
        #expect(throws: Self.failure) { try device.attend(inputs) }
        #expect(device.rest != nil)
        #expect(try device.attend(inputs).device.kind == .gpu, "nobody else can")
    }

    @Test func failuresThatComeTogetherAreOne() throws {
        let clock = Clock()
        let health = DeviceHealth { clock.now }
        for _ in 0..<8 { health.failed("all at once", rest: .seconds(30)) }
        #expect(health.rest?.remaining == .seconds(30))
        clock.pass(.seconds(30))
        health.failed("again", rest: .seconds(30))
        #expect(health.rest?.remaining == .seconds(60))
    }

    @Test func copiesRestTogetherAndALimitOfZeroIsNoRest() throws {
        let device = Device.quiet(FakeBackend(failingRun: 1), restTime: .seconds(30))
        let copy = device
        _ = try device.attend(smallInputs())
        #expect(copy.rest != nil)
        let restless = Device.quiet(FakeBackend(failingRun: 1))
        _ = try restless.attend(smallInputs())
        #expect(restless.rest == nil)
    }

    // MARK: Who goes on

    @Test func theListIsGoneThroughInItsOrder() throws {
        let inputs = try smallInputs()
        let broken = FakeBackend(.fake("opencl:1.0", "Second"), planError: Self.failure)
        let device = Device.quiet(FakeBackend(failingRun: 1))
        let chained = Device(
            backend: FakeBackend(failingRun: 1),
            chain: .of([.openCL(platform: 1, device: 0): broken, .reference: ReferenceBackend()]), skipped: [],
            logger: device.logger)
        let policy = FallbackPolicy.ordered([.gpu, .openCL(platform: 1, device: 0), .reference])
        let result = try chained.attend(inputs, fallback: policy)
        #expect(result.device.kind == .reference)
        #expect(result.fallbacks.map(\.from) == ["Fake GPU", "Second"])
        #expect(try result.output.contiguousBytes() == inputs.expected())
        // The first error is told if nobody is left.
        chained.wake()
        let other = Device(
            backend: FakeBackend(planError: .deviceFailed(device: "first", detail: "first")),
            chain: .of([.openCL(platform: 1, device: 0): broken]), skipped: [], logger: device.logger)
        #expect(throws: AttentionError.deviceFailed(device: "first", detail: "first")) {
            try other.attend(inputs, fallback: .ordered([.openCL(platform: 1, device: 0), .native]))
        }
        #expect(throws: AttentionError.self) { try other.attend(inputs, fallback: .ordered([])) }
    }

    @Test func automaticGoesOnNativelyAndThenOnTheReference() throws {
        let inputs = try smallInputs()
        var device = Device(backend: FakeBackend(failingRun: 1), skipped: [], logger: .init(label: "test"))
        device.logger.logLevel = .critical
        let native = try device.attend(inputs)
        #expect(native.device.kind == .native)
        for (value, right) in zip(try native.output.doubles(), try Device.reference.attend(inputs).output.doubles()) {
            #expect(abs(value - right) < 1e-5)
        }
        // The native path has no float64.
        let tensor = try Tensor([1.0, 2.0], shape: [1, 1, 1, 2], elementType: .float64)
        var last = try Device.native()
        last.logger.logLevel = .critical
        let result = try last.attend(AttentionInputs(query: tensor, key: tensor, value: tensor))
        #expect(result.device.kind == .reference)
        #expect(result.fallbacks.count == 1)
        #expect(last.rest == nil)
    }

    @Test(.timeLimit(.minutes(5))) func tasksOfAFailingDeviceAllGetTheirResults() async throws {
        let inputs = try smallInputs()
        let expected = try inputs.expected()
        let device = Device.quiet(FakeBackend(planError: Self.failure), restTime: .seconds(30))
        let wrong = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    var wrong = 0
                    for _ in 0..<100 {
                        let result = try await device.attend(inputs)
                        if try result.output.contiguousBytes() != expected || result.fallbacks.count != 1 { wrong += 1 }
                    }
                    return wrong
                }
            }
            return try await group.reduce(0, +)
        }
        #expect(wrong == 0)
    }
}
