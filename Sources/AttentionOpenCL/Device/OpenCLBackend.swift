import AttentionCore
import KernelCalls
import Foundation
import Locking
import OpenCLRuntime

/// Attention on one OpenCL device.
public final class OpenCLBackend: Backend {
    public let device: DeviceDescription
    /// The context that memory of this backend belongs to; a caller's own one if it was given.
    public let context: Context
    /// What plans know of the device.
    let profile: DeviceProfile
    let scratch: ScratchPool
    let programs: ProgramStore
    let tunings: TuningStore
    let layers: LayerPrograms
    private let text: KernelText
    private let cache: ProgramCache
    private let limits: DeviceLimits
    private let gate: KernelGate?
    let queues: QueuePool
    private let profilingQueues: QueuePool
    private let chosenLayerFamily = Guarded<String?>(nil)

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
        limits: DeviceLimits = .ofEnvironment, examiner: (any KernelExaminer)? = nil,
        layers: LayerPrograms = LayerPrograms()
    ) {
        self.layers = layers
        self.limits = limits
        device = description
        self.text = text
        self.cache = cache
        gate = examiner.map { KernelGate($0, cache) }
        self.context = context
        profile = DeviceProfile(context.device.info, platform: description.platform, limits: limits)
        scratch = ScratchPool(context: context)
        programs = ProgramStore(context: context, text: text, cache: cache)
        tunings = TuningStore(cache, programs)
        queues = QueuePool(context: context, isProfiled: false)
        profilingQueues = QueuePool(context: context, isProfiled: true)
    }

    private var info: DeviceInfo { context.device.info }

    /// The kernel family of layers, `wide` or `tiled`, where the device would choose another; for simulators and tests. Weights that
    /// were prepared for the other are prepared anew, once.
    public var layerFamily: String? {
        get { chosenLayerFamily.withLock { $0 } }
        set { chosenLayerFamily.withLock { $0 = newValue } }
    }

    public func useLayers(ofFamily family: String?) throws(AttentionError) {
        _ = try width(PlanPolicy(family: family))
        layerFamily = family
    }

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
        guard byteCount <= profile.allocationBytes, byteCount <= profile.memoryBytes else {
            throw .outOfMemory(bytes: byteCount, device: device.name)
        }
        return try OpenCLStorage(byteCount: byteCount, context: context, queues: queues, place: device.name)
    }

    public var memoryLimit: MemoryLimit? { profile.memoryLimit }

    public var statistics: BackendStatistics {
        BackendStatistics(programs: programs.count, idleScratchBytes: scratch.idleBytes)
    }

    public func releaseMemory() { scratch.clear() }

    /// Floats to a vector, of this device or of the family that the caller forces.
    func width(_ policy: PlanPolicy) throws(AttentionError) -> Int {
        if let width = profile.width(family: policy.family) { return width }
        throw .unsupported(
            device: device.name, reason: "there is no kernel family '\(policy.family ?? "")': wide, tiled")
    }

    /// The most scratch memory a call may take on this device.
    func scratchLimit(_ policy: PlanPolicy, _ tiles: StagedTiles) -> Int {
        min(policy.workspaceLimit, profile.allocationBytes, profile.memoryBytes / 4, tiles.scratchTarget)
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
    public func withoutGate() -> OpenCLBackend { withoutGate(LayerPrograms()) }

    func withoutGate(_ layers: LayerPrograms) -> OpenCLBackend {
        OpenCLBackend(
            context: context, description: device, text: text, cache: cache, limits: limits, layers: layers)
    }

    /// Sees to it that a program has passed a self-test before `use` has it.
    func admit(
        _ kernel: KernelVariant, for use: KernelTrial.Use, _ policy: PlanPolicy
    ) throws(AttentionError) {
        try gate?.admit(kernel, for: use, policy, self)
    }

    func key(_ kernel: KernelVariant) throws(AttentionError) -> CacheKey {
        try asAttentionError(device.name) { () throws(OpenCLError) in try programs.key(kernel) }
    }

    /// A program for this device, and how it came to be.
    func program(_ kernel: KernelVariant) throws(AttentionError) -> (Program, BuildOutcome) {
        try asAttentionError(device.name) { () throws(OpenCLError) in try programs.program(kernel) }
    }

    /// Ends a call in a forked child before it waits for what only the parent's threads would give back.
    func checkProcess() throws(AttentionError) {
        try asAttentionError(device.name) { () throws(OpenCLError) in try context.library.checkProcess() }
    }

    /// Runs `body`, which enqueues one call and ends it, on a queue of its own or that of the sequence which the calling thread is
    /// making. A call that is measured waits for what came before.
    ///
    /// - Returns: nanoseconds of the launches, if they were to be measured.
    @discardableResult
    func withCommands(
        isProfiled: Bool, _ body: (Commands) throws(AttentionError) -> Void
    ) throws(AttentionError) -> UInt64? {
        try checkProcess()
        if let open = OpenSequence.commands(queues) {
            if !isProfiled {
                do throws(AttentionError) { try body(open) } catch {
                    open.abandon()
                    throw error
                }
                return nil
            }
            try asAttentionError(device.name) { () throws(OpenCLError) in try open.wait() }
        }
        let pool = isProfiled ? profilingQueues : queues
        let queue = try asAttentionError(device.name) { () throws(OpenCLError) in try pool.take() }
        let commands = Commands(queue: queue, pool: scratch, isProfiled: isProfiled)
        do throws(AttentionError) { try body(commands) } catch {
            commands.abandon()
            throw error
        }
        pool.giveBack(queue)
        return commands.nanoseconds
    }
}
