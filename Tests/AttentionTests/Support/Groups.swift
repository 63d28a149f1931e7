import AttentionCore
import AttentionReference
import Locking
import Synchronization

@testable import Attention

extension Device {
    /// A group of these backends that cuts as it is told to.
    static func sharing(
        _ backends: [any Backend], _ rule: CutAxis.Rule, clock: @escaping SharingBackend.Clock = { _ in .now },
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
    ) throws -> Device {
        let members = backends.map { Device.quiet($0, now: now) }
        var group = try Device.group(members) { SharingBackend($0, rule: rule, clock: clock) }
        group.logger.logLevel = .critical
        return group
    }
}

/// Clocks of several devices: whatever one measures takes its own time, and reading a clock is what makes it go on.
final class DeviceClocks: Sendable {
    private let start = ContinuousClock.now
    private let readings: Guarded<[Int]>
    private let steps: [Duration]

    init(_ steps: [Duration]) {
        self.steps = steps
        readings = Guarded(Array(repeating: 0, count: steps.count))
    }

    var clock: SharingBackend.Clock {
        { device in
            let count = self.readings.withLock { readings in
                readings[device] += 1
                return readings[device]
            }
            return self.start + self.steps[device] * count
        }
    }
}

/// A device that computes as `inner` does and has little memory: it refuses what a driver would.
final class NarrowBackend: Backend {
    let inner: any Backend
    let memoryLimit: MemoryLimit?
    let runs = Atomic<Int>(0)

    init(_ inner: any Backend, allocation: Int, total: Int = .max) {
        self.inner = inner
        memoryLimit = MemoryLimit(allocation: allocation, total: total)
    }

    var device: DeviceDescription { inner.device }

    func plan(_ problem: AttentionProblem, _ policy: PlanPolicy) throws(AttentionError) -> any BackendPlan {
        NarrowPlan(backend: self, inner: try inner.plan(problem, policy))
    }

    func makeStorage(byteCount: Int) throws(AttentionError) -> any TensorStorage {
        try check(byteCount)
        return try inner.makeStorage(byteCount: byteCount)
    }

    fileprivate func check(_ bytes: Int) throws(AttentionError) {
        if bytes > memoryLimit?.allocation ?? .max { throw .outOfMemory(bytes: bytes, device: device.name) }
    }
}

private struct NarrowPlan: BackendPlan {
    let backend: NarrowBackend
    let inner: any BackendPlan

    var explanation: PlanExplanation { inner.explanation }

    func run(
        _ problem: AttentionProblem, _ inputs: AttentionInputs, _ outputs: AttentionOutputs, _ control: RunControl
    ) throws(AttentionError) -> RunReport {
        backend.runs.add(1, ordering: .relaxed)
        let operands =
            [inputs.query, inputs.key, inputs.value] + [inputs.mask.tensor, inputs.pastKey].compactMap { $0 }
        var total = 0
        for tensor in operands + outputs.all {
            // Host memory is used in place, and all of its storage then.
            let bytes = tensor.layout.extent.count * tensor.elementType.byteCount
            try backend.check(tensor.storage.hostBytes == nil ? bytes : max(bytes, tensor.storage.byteCount))
            total += bytes
        }
        if total > backend.memoryLimit?.total ?? .max { throw .outOfMemory(bytes: total, device: backend.device.name) }
        return try inner.run(problem, inputs, outputs, control)
    }
}

/// A device that computes as `inner` does and dies in one of its runs, when all is computed and spoilt again.
final class DyingBackend: Backend {
    static let error = AttentionError.deviceFailed(device: "dying", detail: "clWaitForEvents: CL_DEVICE_NOT_AVAILABLE")

    let inner: any Backend
    fileprivate let failingRun: Int
    fileprivate let runs = Atomic<Int>(0)

    init(_ inner: any Backend, failingRun: Int) {
        self.inner = inner
        self.failingRun = failingRun
    }

    var device: DeviceDescription { inner.device }

    func plan(_ problem: AttentionProblem, _ policy: PlanPolicy) throws(AttentionError) -> any BackendPlan {
        DyingPlan(backend: self, inner: try inner.plan(problem, policy))
    }

    func makeStorage(byteCount: Int) throws(AttentionError) -> any TensorStorage {
        try inner.makeStorage(byteCount: byteCount)
    }
}

private struct DyingPlan: BackendPlan {
    let backend: DyingBackend
    let inner: any BackendPlan

    var explanation: PlanExplanation { inner.explanation }

    func run(
        _ problem: AttentionProblem, _ inputs: AttentionInputs, _ outputs: AttentionOutputs, _ control: RunControl
    ) throws(AttentionError) -> RunReport {
        let report = try inner.run(problem, inputs, outputs, control)
        guard backend.runs.add(1, ordering: .relaxed).newValue == backend.failingRun else { return report }
        try outputs.spoil(part: 1)
        throw DyingBackend.error
    }
}
