import Synchronization

/// What runs attention: a device through OpenCL, the processor natively, the reference.
public protocol Backend: Sendable {
    var device: DeviceDescription { get }

    /// Chooses how to compute `problem`, and prepares what that needs (programs, tiles).
    ///
    /// - Throws: ``AttentionError/unsupported(device:reason:)`` if this backend cannot, or not with the kernel asked for.
    func plan(_ problem: AttentionProblem, _ policy: PlanPolicy) throws(AttentionError) -> any BackendPlan

    /// Memory for tensors that stay where this backend computes. Its contents are undefined.
    func makeStorage(byteCount: Int) throws(AttentionError) -> any TensorStorage

    /// What this backend keeps between calls.
    var statistics: BackendStatistics { get }

    /// Gives back the memory that it keeps for coming calls.
    func releaseMemory()
}

extension Backend {
    public var statistics: BackendStatistics { BackendStatistics() }
    public func releaseMemory() {}
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
    /// The most scratch memory a call may take, in bytes. Calls that need more are cut into pieces.
    public var workspaceLimit: Int

    public init(
        kernel: String? = nil, family: String? = nil, tiles: [String: Int] = [:], workspaceLimit: Int = 256 << 20
    ) {
        self.kernel = kernel
        self.family = family
        self.tiles = tiles
        self.workspaceLimit = workspaceLimit
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
    /// Scratch memory that a call of the planned shape takes, in bytes.
    public var scratchBytes: Int

    public init(kernel: String, choices: [String], refusals: [String] = [], scratchBytes: Int = 0) {
        self.kernel = kernel
        self.choices = choices
        self.refusals = refusals
        self.scratchBytes = scratchBytes
    }
}

/// What a finished call has to tell.
public struct RunReport: Hashable, Sendable {
    /// How the kernels came to be.
    public enum Build: String, Hashable, Sendable {
        /// Loaded from the program cache, or already in memory.
        case cached
        /// Built from source by the driver.
        case compiled
        /// Part of this program.
        case native
    }

    public var kernel: String
    public var build: Build
    public var scratchBytes: Int
    /// Time on the device in nanoseconds, where it was measured.
    public var kernelNanoseconds: UInt64?
    /// What went otherwise than it should without touching the result: programs that could not be kept, say.
    public var notes: [String]

    public init(
        kernel: String, build: Build, scratchBytes: Int, kernelNanoseconds: UInt64? = nil, notes: [String] = []
    ) {
        self.kernel = kernel
        self.build = build
        self.scratchBytes = scratchBytes
        self.kernelNanoseconds = kernelNanoseconds
        self.notes = notes
    }
}

/// Lets a running call be told to stop, and says what to measure.
///
/// A backend looks at it between launches: a kernel that has begun is not interrupted.
public final class RunControl: Sendable {
    private let stopped = Atomic<Bool>(false)
    private let parent: RunControl?
    /// Measure the time on the device.
    public let isProfiled: Bool

    /// A control of its own.
    ///
    /// - Parameter isProfiled: Whether to measure the time on the device.
    public init(isProfiled: Bool = false) {
        self.isProfiled = isProfiled
        parent = nil
    }

    /// A control for a part of what `parent` controls: cancelled with it, or alone.
    ///
    /// - Parameter parent: The control of the whole, which also says what to measure.
    public init(following parent: RunControl) {
        isProfiled = parent.isProfiled
        self.parent = parent
    }

    public func cancel() { stopped.store(true, ordering: .relaxed) }

    /// - Throws: ``AttentionError/cancelled`` once ``cancel()`` was called, here or on the control that this one follows.
    public func check() throws(AttentionError) {
        if stopped.load(ordering: .relaxed) { throw .cancelled }
        try parent?.check()
    }
}
