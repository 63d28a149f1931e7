import AttentionCore
import KernelCalls
import Foundation
import OpenCLRuntime

/// Attention on one OpenCL device.
public final class OpenCLBackend: Backend {
    public let device: DeviceDescription
    /// The context that memory of this backend belongs to; a caller's own one if it was given.
    public let context: Context
    /// Floats in one of the device's vectors.
    public let nativeWidth: Int
    let scratch: ScratchPool
    let programs: ProgramStore
    private let text: KernelText
    private let cache: ProgramCache
    private let gate: KernelGate?
    private let queues: QueuePool
    private let profilingQueues: QueuePool

    /// Wraps a context that the caller has; programs and memory live in it.
    ///
    /// - Parameter examiner: Tries each kernel before its first use; `nil` trusts all.
    public convenience init(context: Context, selector: String = "opencl", examiner: (any KernelExaminer)? = nil) {
        self.init(
            context: context, description: Self.describe(context.device, selector: selector), text: .embedded,
            examiner: examiner)
    }

    init(
        context: Context, description: DeviceDescription, text: KernelText, cache: ProgramCache = .standard(),
        examiner: (any KernelExaminer)? = nil
    ) {
        device = description
        self.text = text
        self.cache = cache
        gate = examiner.map { KernelGate($0, cache) }
        self.context = context
        nativeWidth = context.device.info.nativeFloatWidth
        scratch = ScratchPool(context: context)
        programs = ProgramStore(context: context, text: text, cache: cache)
        queues = QueuePool(context: context, isProfiled: false)
        profilingQueues = QueuePool(context: context, isProfiled: true)
    }

    private var info: DeviceInfo { context.device.info }

    static func describe(_ device: OpenCLRuntime.Device, selector: String) -> DeviceDescription {
        let kind: DeviceDescription.Kind =
            device.info.type.contains(.gpu) ? .gpu : device.info.type.contains(.cpu) ? .cpu : .accelerator
        return DeviceDescription(
            selector: selector, name: device.info.name, platform: device.platform.name, kind: kind)
    }

    public func plan(_ problem: AttentionProblem, _ policy: PlanPolicy) throws(AttentionError) -> any BackendPlan {
        if let refusal = KernelProblem.refusal(problem.shape) {
            throw .unsupported(device: device.name, reason: refusal)
        }
        try checkProcess()
        return try Planner(self, policy).plan(problem)
    }

    public func makeStorage(byteCount: Int) throws(AttentionError) -> any TensorStorage {
        // Some drivers accept what they cannot hold and fail, or swap, when it is touched.
        guard byteCount <= info.maxAllocationBytes, byteCount <= info.globalMemoryBytes else {
            throw .outOfMemory(bytes: byteCount, device: device.name)
        }
        return try OpenCLStorage(byteCount: byteCount, context: context, queues: queues, place: device.name)
    }

    public var memoryLimit: MemoryLimit? {
        MemoryLimit(allocation: info.maxAllocationBytes, total: info.globalMemoryBytes)
    }

    public var statistics: BackendStatistics {
        BackendStatistics(programs: programs.count, idleScratchBytes: scratch.idleBytes)
    }

    public func releaseMemory() { scratch.clear() }

    /// Work-items that a work-group may have in its first dimension.
    var largestGroup: Int { max(min(info.maxWorkGroupSize, info.maxWorkItemSizes.first ?? 1), 1) }

    /// Local memory that a work-group may have.
    var localMemoryBytes: Int { info.localMemoryBytes }

    /// False for a simulator that takes the results of vector shuffles for uninitialised memory (Oclgrind 21.10).
    var hasShuffles: Bool { !isSimulator }

    /// The size of sub-groups that leaves a work-item the most registers, where a kernel may ask for one; for GPUs alone.
    var roomiestSubGroup: Int? { device.kind == .gpu ? info.requirableSubGroups.first : nil }

    /// Whether local memory is apart from global memory, so that bringing something there saves anything.
    var hasDedicatedLocalMemory: Bool { info.localMemory == .dedicated }

    /// Whether its multiply-adds round once; elsewhere fma() is a long library call.
    var fusesMultiplyAdd: Bool { info.hasFusedMultiplyAdd }

    /// Whether one address space holds all pointers, so that kernels can read operands as if they were their own.
    var hasFlatMemory: Bool { device.kind == .cpu && !isSimulator }

    private var isSimulator: Bool { device.platform.contains("Oclgrind") }

    /// How many work-groups run at once.
    var computeUnits: Int { max(info.computeUnits, 1) }

    /// Floats to a vector, of this device or of the family that the caller forces.
    func width(_ policy: PlanPolicy) throws(AttentionError) -> Int {
        switch policy.family {
        case nil: return nativeWidth
        case "wide": return max(nativeWidth, 16)
        case "tiled": return 1
        case let other?:
            throw .unsupported(device: device.name, reason: "there is no kernel family '\(other)': wide, tiled")
        }
    }

    /// The most scratch memory a call may take on this device.
    func scratchLimit(_ policy: PlanPolicy, _ tiles: StagedTiles) -> Int {
        min(policy.workspaceLimit, info.maxAllocationBytes, info.globalMemoryBytes / 4, tiles.scratchTarget)
    }

    /// `copy` keeps kernels from using host memory in place: for simulators that do not see what the host wrote there.
    public static let hostMemoryVariable = "ATTEND_HOST_MEMORY"
    private static let copiesHostMemory = ProcessInfo.processInfo.environment[hostMemoryVariable] == "copy"

    /// True if kernels can use `bytes` where they are.
    func canShare(_ bytes: UnsafeMutableRawBufferPointer) -> Bool {
        guard !Self.copiesHostMemory, let base = bytes.baseAddress, info.hasUnifiedMemory else { return false }
        let alignment = max(info.hostPointerAlignmentBytes, 1)
        return UInt(bitPattern: base) % UInt(alignment) == 0 && !bytes.isEmpty
    }

    /// The same device, where every kernel is trusted.
    func withoutGate() -> OpenCLBackend {
        OpenCLBackend(context: context, description: device, text: text, cache: cache)
    }

    /// Sees to it that a program has passed a self-test before a plan for `problem` uses it.
    func admit(
        _ kernel: KernelVariant, for problem: AttentionProblem, _ policy: PlanPolicy
    ) throws(AttentionError) {
        try gate?.admit(kernel, for: problem, policy, self)
    }

    func key(_ kernel: KernelVariant) throws(AttentionError) -> CacheKey {
        try asAttentionError(device.name) { () throws(OpenCLError) in try programs.key(kernel) }
    }

    /// A program for this device, and how it came to be.
    func program(_ kernel: KernelVariant) throws(AttentionError) -> (Program, BuildOutcome) {
        try asAttentionError(device.name) { () throws(OpenCLError) in try programs.program(kernel) }
    }

    /// Ends a call in a forked child before it waits for what only the parent's threads would give back.
    private func checkProcess() throws(AttentionError) {
        try asAttentionError(device.name) { () throws(OpenCLError) in try context.library.checkProcess() }
    }

    func withQueue(
        isProfiled: Bool, _ body: (Queue) throws(AttentionError) -> Void
    ) throws(AttentionError) {
        try checkProcess()
        let pool = isProfiled ? profilingQueues : queues
        let queue = try asAttentionError(device.name) { () throws(OpenCLError) in try pool.take() }
        do { try body(queue) } catch {
            // Whatever still runs uses the caller's memory: it ends before the caller hears of the error.
            try? queue.finish()
            throw error
        }
        pool.giveBack(queue)
    }
}
