import Logging
import Locking
import Testing

@testable import Attention

/// Devices that fail in the middle of a call.
@Suite struct DeviceFallbackTests {
    static let failure = AttentionError.deviceFailed(device: "fake", detail: "clFinish: CL_OUT_OF_RESOURCES")

    static let errors: [AttentionError] = [
        failure, .outOfMemory(bytes: 1 << 40, device: "fake"), .unsupported(device: "fake", reason: "f64"),
    ]

    @Test(arguments: errors, [true, false])
    func theReferenceFinishesTheCall(_ error: AttentionError, atPlan: Bool) throws {
        let backend = atPlan ? FakeBackend(planError: error) : FakeBackend(failingRun: 1, runError: error)
        let inputs = try smallInputs()
        let result = try Device.quiet(backend).attend(inputs, .init(logSumExp: true))
        #expect(try result.output.contiguousBytes() == inputs.expected())
        #expect(result.device.kind == .reference)
        #expect(result.report.kernel == "reference")
        #expect(result.fallbacks == [Fallback(from: "Fake GPU", reason: error.description)])
        #expect(result.logSumExp != nil)
    }

    @Test(arguments: errors, [true, false])
    func neverMeansNever(_ error: AttentionError, atPlan: Bool) throws {
        let backend = atPlan ? FakeBackend(planError: error) : FakeBackend(failingRun: 1, runError: error)
        let inputs = try smallInputs()
        #expect(throws: error) { try Device.quiet(backend).attend(inputs, fallback: .never) }
    }

    @Test func onlyTheRunThatFailsFallsBack() throws {
        var device = Device.quiet(FakeBackend(failingRun: 3))
        device.restTime = .zero
        let inputs = try smallInputs()
        let fallbacks = try (1...5).map { [device] _ in try device.attend(inputs).fallbacks.count }
        #expect(fallbacks == [0, 0, 1, 0, 0])
    }

    @Test(arguments: [PlanPolicy(kernel: "flash_wide"), PlanPolicy(family: "wide"), PlanPolicy(precision: .fast)])
    func aKernelAskedForByNameIsNotReplaced(_ policy: PlanPolicy) throws {
        let refusal = AttentionError.unsupported(device: "fake", reason: "no such kernel")
        let inputs = try smallInputs()
        #expect(throws: refusal) { try Device.quiet(FakeBackend(planError: refusal)).attend(inputs, policy: policy) }
        // A device that breaks is another matter.
        let broken = try Device.quiet(FakeBackend(planError: Self.failure)).attend(inputs, policy: policy)
        #expect(broken.fallbacks.count == 1)
    }

    @Test func theCallersMistakesAndCancellationDoNotFallBack() throws {
        let inputs = try smallInputs()
        let mistakes: [AttentionError] = [
            .invalid("query", .shape, expected: "one", found: "another"), .cancelled,
            .noDevice(requested: "gpu", reason: "gone"),
        ]
        for error in mistakes {
            #expect(throws: error) { try Device.quiet(FakeBackend(planError: error)).attend(inputs) }
        }
    }

    @Test func theReferenceHasNobodyToFallBackOn() throws {
        let description = DeviceDescription(selector: "reference", name: "r", platform: "none", kind: .reference)
        let last = FakeBackend(.fake("reference", "Last", .reference))
        let device = Device.quiet(FakeBackend(description, planError: Self.failure), lastResort: last)
        let inputs = try smallInputs()
        #expect(throws: Self.failure) { try device.attend(inputs) }
        #expect(last.plans.load(ordering: .relaxed) == 0)
    }

    @Test func ifTheReferenceFailsTooTheFirstErrorIsTold() throws {
        let second = AttentionError.outOfMemory(bytes: 5, device: "host")
        let device = Device.quiet(
            FakeBackend(planError: Self.failure),
            lastResort: FakeBackend(.fake("reference", "Last", .reference), planError: second))
        let inputs = try smallInputs()
        #expect(throws: Self.failure) { try device.attend(inputs) }
    }

    @Test func memoryThatTheDeviceRefusesIsTakenFromTheHost() throws {
        let refusal = AttentionError.outOfMemory(bytes: 1, device: "Fake GPU")
        let inputs = try smallInputs()
        var far = inputs
        far.query = try inputs.query.moved(to: .quiet(FakeBackend()))
        let result = try Device.quiet(FakeBackend(storageError: refusal)).attend(far)
        #expect(result.output.storage.place == "host")
        #expect(try result.output.contiguousBytes() == inputs.expected())
        #expect(result.fallbacks.first?.reason == refusal.description)
    }

    /// The failing run has filled the output with NaN by then.
    @Test(arguments: [false, true]) func theCallersTensorIsFilledAllTheSame(onDevice: Bool) throws {
        let device = Device.quiet(FakeBackend(failingRun: 1))
        let inputs = try smallInputs()
        let whole = try Tensor([Float](repeating: 42, count: 2 * 4 * 5 * 8), shape: [2, 4, 5, 8])
        let storage = onDevice ? try whole.moved(to: device) : whole
        let output = try storage.sliced(axis: 3, 1..<7)
        let result = try device.attend(inputs, into: output)
        #expect(result.fallbacks.count == 1)
        #expect(result.output.storage === output.storage)
        #expect(try output.contiguousBytes() == inputs.expected())
        #expect(try storage.sliced(axis: 3, 0..<1).floats().allSatisfy { $0 == 42 })
        #expect(try storage.sliced(axis: 3, 7..<8).floats().allSatisfy { $0 == 42 })
    }

    @Test func aDeadDeviceThatHoldsAnInputEndsTheCall() throws {
        let device = Device.quiet(FakeBackend(planError: Self.failure))
        var inputs = try smallInputs()
        inputs.query = try inputs.query.moved(to: device)
        (inputs.query.storage as? FarStorage)?.isDead.store(true, ordering: .relaxed)
        let operands = inputs
        #expect(throws: Self.failure) { try device.attend(operands) }
    }

    @Test func theListIsFollowedInItsOrder() throws {
        let second = AttentionError.unsupported(device: "second", reason: "no")
        let cpu = FakeBackend(.fake("opencl:1.0", "Fake CPU", .cpu), planError: second)
        let third = FakeBackend(.fake("opencl:2.0", "Third"))
        let device = Device.quiet(FakeBackend(planError: Self.failure), others: [.cpu: cpu, .named("third"): third])
        let inputs = try smallInputs()
        let result = try device.attend(inputs, fallback: .ordered([.gpu, .cpu, .named("third"), .reference]))
        #expect(result.device.name == "Third")
        #expect(try result.output.contiguousBytes() == inputs.expected())
        #expect(
            result.fallbacks == [
                Fallback(from: "Fake GPU", reason: "\(Self.failure)"),
                Fallback(from: "gpu", reason: "no device for 'gpu': it is not here"),
                Fallback(from: "Fake CPU", reason: "\(second)"),
            ])
        // Those who are asked plan for themselves, and once.
        _ = try device.attend(inputs, fallback: .ordered([.named("third")]))
        #expect(third.plans.load(ordering: .relaxed) == 1)
        #expect(throws: Self.failure) { try device.attend(inputs, fallback: .ordered([.gpu, .cpu])) }
        #expect(throws: Self.failure) { try device.attend(inputs, fallback: .ordered([])) }
    }

    @Test func theDeviceItselfIsNotItsOwnSuccessor() throws {
        let backend = FakeBackend(planError: Self.failure)
        let device = Device.quiet(backend, others: [.gpu: backend])
        let inputs = try smallInputs()
        let result = try device.attend(inputs, fallback: .ordered([.gpu, .reference]))
        #expect(result.fallbacks.map(\.from) == ["Fake GPU", "Fake GPU"])
        #expect(result.fallbacks.last?.reason.contains("that is the device that fails") == true)
        #expect(backend.plans.load(ordering: .relaxed) == 1)
    }

    @Test func aChainOpensOthersOnce() throws {
        let source = FakeSource([
            .devices([.fake("0.0", .gpu, "First"), .fake("0.1", .gpu, "Blind", unsuitable: "no compiler")]),
            .devices([.fake("1.0", .gpu, "Second")]),
        ])
        let chain = FallbackChain(besides: "opencl:0.0", from: source) { .now }
        #expect(source.looked.isEmpty)
        for _ in 0..<3 { #expect(try chain.standby(.gpu).backend().device.name == "Second") }
        #expect(source.looked == [0, 1])
        #expect(throws: AttentionError.self) { try chain.standby(.openCL(platform: 0, device: 0)).backend() }
        #expect(throws: AttentionError.self) { try chain.standby(.named("first")).backend() }
    }

    @Test(arguments: [
        ("automatic", FallbackPolicy.automatic), ("never", .never), ("native", .ordered([.native])),
        ("cpu,native, reference", .ordered([.cpu, .native, .reference])),
        ("opencl:1.0,Big", .ordered([.openCL(platform: 1, device: 0), .named("Big")])),
    ])
    func aPolicyIsReadFromText(_ text: String, _ policy: FallbackPolicy) {
        #expect(FallbackPolicy(text) == policy)
        #expect(FallbackPolicy(policy.description) == policy)
    }

    @Test(arguments: ["", ",", "native,", " ,reference"]) func anEmptyPlaceIsNoPolicy(_ text: String) {
        #expect(FallbackPolicy(text) == nil)
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
        #expect(last.resting == nil)
    }

    @Test func theInputsAreNotChanged() throws {
        let inputs = try smallInputs()
        let before = try [inputs.query, inputs.key, inputs.value].map { try $0.contiguousBytes() }
        _ = try Device.quiet(FakeBackend(failingRun: 1)).attend(inputs)
        #expect(try [inputs.query, inputs.key, inputs.value].map { try $0.contiguousBytes() } == before)
    }

    @Test func theLoggerIsTold() throws {
        let log = Log()
        var device = Device.quiet(FakeBackend(failingRun: 1), now: StoppedClock().now)
        device.logger = Logger(label: "swift-attention") { _ in LogHandlerIntoMemory(log: log) }
        _ = try device.attend(smallInputs())
        _ = try device.attend(smallInputs())
        let lines = log.lines.withLock { $0 }
        #expect(lines.count == 2)
        #expect(lines.first?.contains("notice going on with the next device") == true)
        #expect(lines.first?.contains("Fake GPU") == true)
        #expect(lines.first?.contains("CL_OUT_OF_RESOURCES") == true)
        #expect(lines.first?.contains("30 s") == true)
        // Every call says so from now on: not so loud.
        #expect(lines.last?.contains("debug a resting device is passed over") == true)
    }
}

private final class Log: Sendable {
    let lines = Guarded<[String]>([])
}

private struct LogHandlerIntoMemory: LogHandler {
    let log: Log
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.trace

    init(log: Log) { self.log = log }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        log.lines.withLock { $0.append("\(event.level) \(event.message) \(event.metadata ?? [:])") }
    }
}
