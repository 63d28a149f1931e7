import AttentionCore
import AttentionReference
import Synchronization

/// A device that fails at one moment of every call, after it has spoilt what it could by then.
final class FaultyBackend: Backend {
    enum Moment: CaseIterable {
        /// Memory for results is refused.
        case memory
        /// The kernel does not build.
        case plan
        /// The first launch fails: nothing is written.
        case start
        /// A part of each result is written, and wrong.
        case middle
        /// All is written and wrong, and the last event ends in an error.
        case end
    }

    let device = DeviceDescription.fake()
    let moment: Moment
    let error: AttentionError
    let failures = Atomic<Int>(0)

    init(_ moment: Moment, _ error: AttentionError) {
        self.moment = moment
        self.error = error
    }

    func plan(_ problem: AttentionProblem, _ policy: PlanPolicy) throws(AttentionError) -> any BackendPlan {
        try fail(at: .plan)
        return FaultyPlan(backend: self)
    }

    func makeStorage(byteCount: Int) throws(AttentionError) -> any TensorStorage {
        try fail(at: .memory)
        return try FarStorage(byteCount: byteCount, place: device.name)
    }

    fileprivate func fail(at moment: Moment) throws(AttentionError) {
        guard moment == self.moment else { return }
        failures.add(1, ordering: .relaxed)
        throw error
    }
}

private struct FaultyPlan: BackendPlan {
    let backend: FaultyBackend
    let explanation = PlanExplanation(kernel: "faulty", choices: [])

    func run(
        _ problem: AttentionProblem, _ inputs: AttentionInputs, _ outputs: AttentionOutputs, _ control: RunControl
    ) throws(AttentionError) -> RunReport {
        try backend.fail(at: .start)
        try outputs.spoil(part: 2)
        try backend.fail(at: .middle)
        try outputs.spoil(part: 1)
        try backend.fail(at: .end)
        // Memory is refused at no other moment where the host's is used.
        _ = try ReferenceBackend().plan(problem, PlanPolicy()).run(problem, inputs, outputs, control)
        return RunReport(kernel: "faulty", build: .compiled, scratchBytes: 0)
    }
}

extension AttentionOutputs {
    /// All tensors, in one order.
    var all: [Tensor] { [output] + [logSumExp, scores, presentKey, presentValue].compactMap { $0 } }

    /// Writes nonsense to the first elements, one `part`th of each tensor.
    func spoil(part: Int) throws(AttentionError) {
        for tensor in all where tensor.count > 0 && tensor.shape[0] > 0 {
            let rows = tensor.shape[1] / part
            let piece = try tensor.sliced(axis: 1, 0..<rows)
            try piece.write([Double](repeating: -77, count: piece.count))
        }
    }
}
