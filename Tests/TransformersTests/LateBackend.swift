import Attention
import Synchronization

/// A device with memory of its own that computes as native code does, and fails in a chosen sequence of steps: late, when it has
/// spoilt all that the sequence wrote.
final class LateBackend: Backend {
    /// When a failure comes out.
    enum Moment: CaseIterable {
        /// When the sequence ends.
        case end
        /// When the host first reads a result of the sequence.
        case read
        /// As at the end; and every step after that fails at once.
        case endAndEver
    }

    private struct State {
        var sequences = 0
        var isInSequence = false
        /// Native code is at work, which brings operands to the host and results back.
        var isComputing = false
        var isBroken = false
        var written: [Tensor] = []
        var failures = 0
    }

    let device = DeviceDescription(selector: "opencl:9.0", name: "late", platform: "none", kind: .gpu)
    private let moment: Moment
    /// The sequence that fails, counted from 1; 0 is none.
    private let failing: Int
    private let inner: NativeBackend
    private let state = Mutex(State())

    init(_ moment: Moment = .end, failing: Int = 0) throws {
        (self.moment, self.failing) = (moment, failing)
        inner = try NativeBackend(threads: 1)
    }

    /// Sequences so far.
    var sequences: Int { state.withLock { $0.sequences } }
    var failures: Int { state.withLock { $0.failures } }

    private var error: AttentionError { .deviceFailed(device: device.name, detail: "clFinish: CL_OUT_OF_RESOURCES") }

    func makeStorage(byteCount: Int) throws(AttentionError) -> any TensorStorage {
        LateStorage(try HostStorage(byteCount: byteCount), self)
    }

    func prepare(weight: Tensor) throws(AttentionError) -> any PreparedWeight { try inner.prepare(weight: weight) }

    func perform(_ operation: LayerOperation, _ control: RunControl) throws(AttentionError) {
        try computing { () throws(AttentionError) in try inner.perform(operation, control) }
        _ = try operation.mapped {
            $0
        } output: { (tensor) in
            note(tensor)
            return tensor
        }
    }

    func plan(_ problem: AttentionProblem, _ policy: PlanPolicy) throws(AttentionError) -> any BackendPlan {
        LatePlan(backend: self, inner: try inner.plan(problem, policy))
    }

    func sequence<Result>(_ body: () throws(AttentionError) -> Result) throws(AttentionError) -> Result {
        state.withLock {
            $0.sequences += 1
            ($0.isInSequence, $0.written) = (true, [])
        }
        defer { state.withLock { $0.isInSequence = false } }
        let result = try body()
        if state.withLock({ $0.sequences == failing }) { try fail() }
        return result
    }

    fileprivate func computing<Result>(
        _ body: () throws(AttentionError) -> Result
    ) throws(AttentionError) -> Result {
        guard !state.withLock({ $0.isBroken }) else { throw error }
        state.withLock { $0.isComputing = true }
        defer { state.withLock { $0.isComputing = false } }
        return try body()
    }

    fileprivate func note(_ tensor: Tensor?) {
        guard let tensor else { return }
        state.withLock { if $0.isInSequence { $0.written.append(tensor) } }
    }

    /// The host reads.
    fileprivate func willRead() throws(AttentionError) {
        let isNow = state.withLock { $0.isInSequence && !$0.isComputing && $0.sequences == failing }
        if moment == .read, isNow { try fail() }
    }

    private func fail() throws(AttentionError) {
        let written = state.withLock { state in
            state.failures += 1
            // Not while the results are spoilt.
            (state.isInSequence, state.isBroken) = (false, moment == .endAndEver)
            return state.written
        }
        for tensor in written where tensor.elementType != .int32 {
            try tensor.write([Double](repeating: -77, count: tensor.count))
        }
        throw error
    }
}

private struct LatePlan: BackendPlan {
    let backend: LateBackend
    let inner: any BackendPlan
    var explanation: PlanExplanation { inner.explanation }

    func run(
        _ problem: AttentionProblem, _ inputs: AttentionInputs, _ outputs: AttentionOutputs, _ control: RunControl
    ) throws(AttentionError) -> RunReport {
        let report = try backend.computing { () throws(AttentionError) in
            try inner.run(problem, inputs, outputs, control)
        }
        backend.note(outputs.output)
        return report
    }
}

/// Memory that the host only reaches by copies.
private final class LateStorage: TensorStorage {
    private let memory: HostStorage
    private let backend: LateBackend

    init(_ memory: HostStorage, _ backend: LateBackend) { (self.memory, self.backend) = (memory, backend) }

    var byteCount: Int { memory.byteCount }
    var place: String { backend.device.name }
    var hostBytes: UnsafeMutableRawBufferPointer? { nil }

    func download(from offset: Int, into bytes: UnsafeMutableRawBufferPointer) throws(AttentionError) {
        try backend.willRead()
        try memory.download(from: offset, into: bytes)
    }

    func upload(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(AttentionError) {
        try memory.upload(bytes, at: offset)
    }
}
