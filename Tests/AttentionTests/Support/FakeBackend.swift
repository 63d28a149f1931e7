import AttentionCore
import AttentionReference
import Foundation
import Synchronization

/// A device that computes as the reference does, in memory that the host cannot reach, and fails when it is told to.
final class FakeBackend: Backend {
    let device: DeviceDescription
    /// Thrown by `plan`.
    let planError: AttentionError?
    /// Thrown by the runs of these numbers, counted from 1, after they have spoilt the output.
    let failingRuns: Set<Int>
    let runError: AttentionError
    let storageError: AttentionError?
    /// Runs until it is cancelled, if it ever is.
    let waitsForCancellation: Bool
    /// The run of this number does so, alone.
    let waitingRun: Int?
    let plans = Atomic<Int>(0)
    let runs = Atomic<Int>(0)
    /// How many runs have begun to wait.
    let waiting = Atomic<Int>(0)

    init(
        _ device: DeviceDescription = .fake(), planError: AttentionError? = nil, failingRun: Int? = nil,
        failingRuns: Set<Int> = [],
        runError: AttentionError = .deviceFailed(device: "fake", detail: "clFinish: CL_OUT_OF_RESOURCES"),
        storageError: AttentionError? = nil, waitsForCancellation: Bool = false, waitingRun: Int? = nil
    ) {
        self.device = device
        self.planError = planError
        self.failingRuns = failingRun.map { failingRuns.union([$0]) } ?? failingRuns
        self.runError = runError
        self.storageError = storageError
        self.waitsForCancellation = waitsForCancellation
        self.waitingRun = waitingRun
    }

    func plan(_ problem: AttentionProblem, _ policy: PlanPolicy) throws(AttentionError) -> any BackendPlan {
        plans.add(1, ordering: .relaxed)
        if let planError { throw planError }
        return FakePlan(backend: self, inner: try ReferenceBackend().plan(problem, PlanPolicy()))
    }

    func makeStorage(byteCount: Int) throws(AttentionError) -> any TensorStorage {
        if let storageError { throw storageError }
        return try FarStorage(byteCount: byteCount, place: device.name)
    }
}

private struct FakePlan: BackendPlan {
    let backend: FakeBackend
    let inner: any BackendPlan

    var explanation: PlanExplanation {
        PlanExplanation(
            kernel: "fake_kernel", choices: ["it is the only one"], refusals: ["flash_wide: it is not here"],
            scratchBytes: 4096)
    }

    func run(
        _ problem: AttentionProblem, _ inputs: AttentionInputs, _ outputs: AttentionOutputs, _ control: RunControl
    ) throws(AttentionError) -> RunReport {
        let number = backend.runs.add(1, ordering: .relaxed).newValue
        if backend.waitsForCancellation || number == backend.waitingRun {
            backend.waiting.add(1, ordering: .relaxed)
            while true {
                try control.check()
                // As a driver does that waits for its device: the thread sleeps.
                usleep(1000)
            }
        }
        if backend.failingRuns.contains(number) {
            try outputs.output.write([Double](repeating: .nan, count: outputs.output.count))
            throw backend.runError
        }
        _ = try inner.run(problem, inputs, outputs, control)
        return RunReport(kernel: "fake_kernel", build: .compiled, scratchBytes: 4096)
    }
}

/// Memory that only copies reach.
final class FarStorage: TensorStorage {
    let byteCount: Int
    let place: String
    private let host: HostStorage
    /// From now on the device answers nothing.
    let isDead = Atomic<Bool>(false)

    init(byteCount: Int, place: String) throws(AttentionError) {
        self.byteCount = byteCount
        self.place = place
        host = try HostStorage(byteCount: byteCount)
    }

    var hostBytes: UnsafeMutableRawBufferPointer? { nil }

    func download(from offset: Int, into bytes: UnsafeMutableRawBufferPointer) throws(AttentionError) {
        if isDead.load(ordering: .relaxed) { throw .deviceFailed(device: place, detail: "clEnqueueReadBuffer") }
        try host.download(from: offset, into: bytes)
    }

    func upload(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(AttentionError) {
        if isDead.load(ordering: .relaxed) { throw .deviceFailed(device: place, detail: "clEnqueueWriteBuffer") }
        try host.upload(bytes, at: offset)
    }
}

extension DeviceDescription {
    static func fake(
        _ selector: String = "opencl:0.0", _ name: String = "Fake GPU", platform: String = "Fake Platform",
        _ kind: Kind = .gpu
    ) -> DeviceDescription {
        DeviceDescription(selector: selector, name: name, platform: platform, kind: kind)
    }
}
