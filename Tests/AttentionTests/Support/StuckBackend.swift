import AttentionCore
import AttentionReference
import Foundation
import Locking
import Synchronization

/// A device that does not come back before it is let go, and writes nonsense then, as a late kernel does.
final class StuckBackend: Backend {
    enum Place { case plan, run, nowhere }

    let device: DeviceDescription
    let place: Place
    /// Cancelled by a run that is about to get stuck.
    let control: RunControl?
    let plans = Atomic<Int>(0)
    let runs = Atomic<Int>(0)
    /// Calls that were told to stop while they were stuck.
    let cancelled = Atomic<Int>(0)
    /// Calls that came back in the end.
    let ended = Atomic<Int>(0)
    private let isLetGo = Atomic<Bool>(false)
    /// A compiler's lock: who asks for a build while another hangs, hangs as well.
    private let compiler = Guarded(0)

    init(_ place: Place, _ device: DeviceDescription = .fake(), cancelling control: RunControl? = nil) {
        self.control = control
        self.place = place
        self.device = device
    }

    func letGo() { isLetGo.store(true, ordering: .releasing) }

    func hang() { while !isLetGo.load(ordering: .acquiring) { usleep(500) } }

    func plan(_ problem: AttentionProblem, _ policy: PlanPolicy) throws(AttentionError) -> any BackendPlan {
        plans.add(1, ordering: .relaxed)
        compiler.withLock { built in
            if place == .plan { hang() }
            built += 1
        }
        ended.add(place == .plan ? 1 : 0, ordering: .relaxed)
        return StuckPlan(backend: self)
    }

    func makeStorage(byteCount: Int) throws(AttentionError) -> any TensorStorage {
        try FarStorage(byteCount: byteCount, place: device.name)
    }
}

private struct StuckPlan: BackendPlan {
    let backend: StuckBackend
    let explanation = PlanExplanation(kernel: "stuck", choices: [])

    func run(
        _ problem: AttentionProblem, _ inputs: AttentionInputs, _ outputs: AttentionOutputs, _ control: RunControl
    ) throws(AttentionError) -> RunReport {
        backend.runs.add(1, ordering: .relaxed)
        guard backend.place == .run else {
            _ = try ReferenceBackend().plan(problem, PlanPolicy()).run(problem, inputs, outputs, control)
            return RunReport(kernel: "stuck", build: .compiled, scratchBytes: 0)
        }
        try outputs.spoil(part: 2)
        backend.control?.cancel()
        backend.hang()
        // The operands must be there still: a kernel reads them as late as it writes.
        _ = try inputs.query.contiguousBytes()
        try outputs.spoil(part: 1)
        do { try control.check() } catch { backend.cancelled.add(1, ordering: .relaxed) }
        backend.ended.add(1, ordering: .relaxed)
        return RunReport(kernel: "stuck", build: .compiled, scratchBytes: 0)
    }
}
