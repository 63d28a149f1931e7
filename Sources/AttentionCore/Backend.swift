/// What runs attention: a device through OpenCL, the processor natively, the reference.
public protocol Backend: Sendable {
    var device: DeviceDescription { get }

    /// Chooses how to compute `problem`, and prepares what that needs (programs, tiles).
    ///
    /// - Throws: ``AttentionError/unsupported(device:reason:)`` if this backend cannot, or not with the kernel asked for.
    func plan(_ problem: AttentionProblem, _ policy: PlanPolicy) throws(AttentionError) -> any BackendPlan

    /// Memory for tensors that stay where this backend computes. Its contents are undefined.
    func makeStorage(byteCount: Int) throws(AttentionError) -> any TensorStorage

    /// What one call may take of this backend's memory; `nil` without a bound of its own. Calls that need more are computed in
    /// pieces, by whoever plans them.
    var memoryLimit: MemoryLimit? { get }

    /// What this backend keeps between calls.
    var statistics: BackendStatistics { get }

    /// Gives back the memory that it keeps for coming calls.
    func releaseMemory()

    /// Brings a weight matrix, `[outputs, inputs]` in host memory, into the form that ``perform(_:_:)`` reads fastest.
    ///
    /// - Throws: ``AttentionError/invalid(_:)``, ``AttentionError/outOfMemory(bytes:device:)``.
    func prepare(weight: Tensor) throws(AttentionError) -> any PreparedWeight

    /// Computes one step of a layer.
    ///
    /// Tensors may lie anywhere; those of this backend's own memory are used where they are. An error leaves the outputs undefined,
    /// and never changes an input.
    ///
    /// - Throws: ``AttentionError/unsupported(device:reason:)`` if this backend cannot.
    func perform(_ operation: LayerOperation, _ control: RunControl) throws(AttentionError)

    /// The kernel family of layers that was asked for; `nil` if the backend chooses.
    var layerFamily: String? { get }

    /// Has layers computed by the kernels of a family, `wide` or `tiled`; `nil` leaves the choice.
    ///
    /// - Throws: ``AttentionError/unsupported(device:reason:)`` where there is no such family.
    func useLayers(ofFamily family: String?) throws(AttentionError)

    /// Runs `body`, whose calls of this backend on this thread may be left running until it ends, in their order: a device that
    /// is far away is then waited for once. A sequence within another one is part of it.
    ///
    /// What the calls write to this backend's memory may be read there by later ones at once; it is there for others, and for other
    /// threads, when the sequence has ended. Host memory is right after each call, as without a sequence.
    ///
    /// - Throws: What `body` throws, or else what any of its calls failed with on the device.
    func sequence<Result>(_ body: () throws(AttentionError) -> Result) throws(AttentionError) -> Result
}

extension Backend {
    public func prepare(weight: Tensor) throws(AttentionError) -> any PreparedWeight { try PlainWeight(weight) }

    public func perform(_ operation: LayerOperation, _ control: RunControl) throws(AttentionError) {
        throw .unsupported(device: device.name, reason: "it has attention alone, no layers")
    }

    public func sequence<Result>(
        _ body: () throws(AttentionError) -> Result
    ) throws(AttentionError) -> Result { try body() }

    public var layerFamily: String? { nil }

    public func useLayers(ofFamily family: String?) throws(AttentionError) {
        guard let family else { return }
        throw .unsupported(device: device.name, reason: "there is no kernel family '\(family)' of layers here")
    }

    public var memoryLimit: MemoryLimit? { nil }
    public var statistics: BackendStatistics { BackendStatistics() }
    public func releaseMemory() {}
}

/// How much memory a backend has for the operands and results of a call, in bytes.
public struct MemoryLimit: Hashable, Sendable {
    /// The largest piece of memory that can be had at once (`CL_DEVICE_MAX_MEM_ALLOC_SIZE`).
    public var allocation: Int
    /// All of it.
    public var total: Int

    public init(allocation: Int, total: Int) {
        self.allocation = allocation
        self.total = total
    }
}

/// What a backend keeps between calls.
public struct BackendStatistics: Hashable, Sendable {
    /// Programs in memory.
    public var programs: Int
    /// Scratch memory that waits for the next call, in bytes.
    public var idleScratchBytes: Int

    public init(programs: Int = 0, idleScratchBytes: Int = 0) {
        self.programs = programs
        self.idleScratchBytes = idleScratchBytes
    }
}

/// A way to compute one kind of problem, ready to run. One plan may run many calls at once.
public protocol BackendPlan: Sendable {
    var explanation: PlanExplanation { get }

    /// Computes `problem`, which differs from the planned one in lengths and strides at most.
    ///
    /// Keys and values may lie in the blocks of a table (`problem.blockSize` above 0); what cannot read them there takes
    /// ``AttentionInputs/withoutBlocks(_:_:)``.
    ///
    /// All of `outputs` are written, or none is to be used: an error leaves them undefined, the inputs are never changed.
    func run(
        _ problem: AttentionProblem, _ inputs: AttentionInputs, _ outputs: AttentionOutputs, _ control: RunControl
    ) throws(AttentionError) -> RunReport
}

/// Who a backend is.
public struct DeviceDescription: Hashable, Sendable {
    public enum Kind: String, Hashable, Sendable {
        case gpu, cpu, accelerator, native, reference
        /// Several that share each call.
        case group
    }

    /// The name that `--device` takes: `opencl:0.0`, `reference`.
    public var selector: String
    public var name: String
    public var platform: String
    public var kind: Kind

    public init(selector: String, name: String, platform: String, kind: Kind) {
        self.selector = selector
        self.name = name
        self.platform = platform
        self.kind = kind
    }
}

/// What a caller may say about how a call is computed.
public struct PlanPolicy: Hashable, Sendable {
    /// A kernel by name; `nil` lets the plan choose.
    public var kernel: String?
    /// A kernel family, `wide` or `tiled`, where the device would choose another; for simulators and tests.
    public var family: String?
    /// Tile sizes by their names in the kernel's text, where the kernel's own choice is not wanted: for tuning.
    public var tiles: [String: Int]
    /// Whether a plan may take what a search found for calls of its kind on this machine (`attend tune`).
    public var usesTuning: Bool
    /// The most scratch memory a call may take, in bytes. Calls that need more are cut into pieces.
    public var workspaceLimit: Int
    /// What the products are computed in.
    public var precision: Precision

    public init(
        kernel: String? = nil, family: String? = nil, tiles: [String: Int] = [:], usesTuning: Bool = true,
        workspaceLimit: Int = 256 << 20, precision: Precision = .standard
    ) {
        self.kernel = kernel
        self.family = family
        self.tiles = tiles
        self.usesTuning = usesTuning
        self.workspaceLimit = workspaceLimit
        self.precision = precision
    }
}

/// What a plan chose, and why.
public struct PlanExplanation: Hashable, Sendable {
    /// The kernel or chain of kernels: `staged`, `reference`.
    public var kernel: String
    /// Choices with their reasons, one a line.
    public var choices: [String]
    /// What was refused, with reasons, one a line.
    public var refusals: [String]
    /// What was refused and should not have been, a line each: kernels that failed their self-test, or that a compiler leaves no room.
    public var warnings: [String]
    /// The kernel's tile sizes by their names in its text, as ``PlanPolicy/tiles`` takes them; empty where there is no choice.
    public var sizes: [String: Int]
    /// Scratch memory that a call of the planned shape takes, in bytes.
    public var scratchBytes: Int

    public init(
        kernel: String, choices: [String], refusals: [String] = [], warnings: [String] = [], sizes: [String: Int] = [:],
        scratchBytes: Int = 0
    ) {
        self.kernel = kernel
        self.choices = choices
        self.refusals = refusals
        self.warnings = warnings
        self.sizes = sizes
        self.scratchBytes = scratchBytes
    }
}
