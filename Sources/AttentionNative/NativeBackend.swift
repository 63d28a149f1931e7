import AttentionCore
import HostKernels
import KernelCalls
import Workers

/// Attention on the processor, without OpenCL: the wide kernels compiled as C, shared among the threads of one pool.
public final class NativeBackend: Backend {
    public let device: DeviceDescription
    public let instructionSet: InstructionSet
    /// At most so many threads work on a call, the caller's among them.
    public let threads: Int
    let pool: WorkerPool
    let scratch = ScratchPool()

    /// Threads that a call may have by default: one for each processor that this process may use.
    public static var availableThreads: Int { WorkerPool.availableProcessors }

    /// - Parameters:
    ///   - instructionSet: which kernels to use; `nil` is what the environment variable ``InstructionSet/variable`` names, or else
    ///     the widest that this processor has.
    ///   - threads: the most threads of a call, the caller's among them; `nil` is ``availableThreads``. One pool serves all.
    /// - Throws: ``AttentionError/noDevice(requested:reason:)`` if this processor lacks the instruction set.
    public convenience init(instructionSet: InstructionSet? = nil, threads: Int? = nil) throws(AttentionError) {
        try self.init(
            instructionSet: instructionSet, threads: min(threads ?? .max, Self.availableThreads), pool: .shared)
    }

    /// With as many threads as `pool` may have, whatever the processors.
    init(instructionSet: InstructionSet?, threads: Int, pool: WorkerPool) throws(AttentionError) {
        let set = try InstructionSet.chosen(instructionSet)
        self.instructionSet = set
        self.pool = pool
        self.threads = max(1, threads)
        device = DeviceDescription(
            selector: "native", name: "native (\(set.rawValue))", platform: "none", kind: .native)
    }

    /// The cap on the threads of every native call of this process, for those who share the machine.
    public static var threadLimit: Int {
        get { WorkerPool.shared.threadLimit }
        set { WorkerPool.shared.threadLimit = newValue }
    }

    public func plan(_ problem: AttentionProblem, _ policy: PlanPolicy) throws(AttentionError) -> any BackendPlan {
        if policy.precision == .fast {
            throw .unsupported(device: device.name, reason: "precision fast: native code computes in float alone")
        }
        if let refusal = KernelProblem.refusal(problem.shape) {
            throw .unsupported(device: device.name, reason: refusal)
        }
        guard KernelStorage(problem.queryType) != nil, KernelStorage(problem.valueType) != nil else {
            throw .unsupported(device: device.name, reason: "its kernels have no f64 storage")
        }
        return try NativePlanner(self, policy).plan(problem)
    }

    public func makeStorage(byteCount: Int) throws(AttentionError) -> any TensorStorage {
        try HostStorage(byteCount: byteCount)
    }

    public var statistics: BackendStatistics {
        BackendStatistics(idleScratchBytes: pool.idleScratchBytes + scratch.idleBytes)
    }

    public func releaseMemory() {
        pool.releaseMemory()
        scratch.clear()
    }

    /// False for a build without optimisation, whose kernels are some fifty times slower.
    static var isOptimised: Bool { host_kernels_optimised() != 0 }

    /// Threads that are worth waking for so many multiply-adds.
    func threads(multiplyAdds: Int) -> Int {
        // A thread has work for some ten microseconds at least, the time that waking one may take.
        let each = Int(instructionSet.kernels.pointee.lanes) * 40_000
        return min(threads, max(1, multiplyAdds / each))
    }
}
