import AttentionCore
import KernelCalls
import OpenCLRuntime

/// Gathers the programs of a plan, built or loaded when the plan is made, and what is to be told of them.
struct ProgramCollector {
    private let backend: OpenCLBackend
    private let problem: AttentionProblem
    private let policy: PlanPolicy
    /// `compiled` if any of them was.
    private(set) var build = RunReport.Build.cached
    /// What was wrong with the cache on disk.
    private(set) var notes: [String] = []

    /// - Parameter kernel: What the plan is called.
    init(_ backend: OpenCLBackend, for problem: AttentionProblem, _ policy: PlanPolicy, kernel: String) {
        self.backend = backend
        self.problem = problem
        self.policy = PlanPolicy(
            kernel: kernel, family: policy.family, tiles: policy.tiles, usesTuning: false,
            workspaceLimit: policy.workspaceLimit, precision: policy.precision)
    }

    mutating func program(_ kernel: KernelVariant) throws(AttentionError) -> Program {
        try backend.admit(kernel, for: .attention(problem), policy)
        let (program, outcome) = try backend.program(kernel)
        guard case .compiled(let reason, let notStored) = outcome else { return program }
        build = .compiled
        for problem in [reason, notStored] {
            guard let problem, problem != .notFound, problem != .off else { continue }
            let note = "program cache: \(problem)"
            if !notes.contains(note) { notes.append(note) }
        }
        return program
    }

    /// Work-items that the compiler leaves a work-group: it may be less than the device has, as they share registers. None for a kernel
    /// whose local memory, what the compiler added to it included, is more than there is.
    func largestGroup(_ program: Program, _ name: String) throws(AttentionError) -> Int {
        let kernel = try asAttentionError(backend.device.name) { () throws(OpenCLError) in try program.kernel(name) }
        guard kernel.localMemoryBytes <= backend.profile.localMemoryBytes else { return 0 }
        return min(kernel.maxWorkGroupSize, backend.profile.largestGroup)
    }

    /// The one kernel of a program, which has the variant's name.
    mutating func kernel(_ kernel: KernelVariant) throws(AttentionError) -> ProgramKernel {
        ProgramKernel(try program(kernel), kernel.name)
    }

    /// The programs that put past and new keys and values together; `nil` without past ones.
    mutating func concatenation(_ problem: AttentionProblem) throws(AttentionError) -> (key: Program, value: Program)? {
        guard problem.hasPast else { return nil }
        return (
            try program(.concatenate(elementBytes: problem.queryType.byteCount)),
            try program(.concatenate(elementBytes: problem.valueType.byteCount))
        )
    }
}

/// The storages of a call, by the names that the kernels know.
struct CallStorages: Hashable, Sendable {
    let query: KernelStorage
    let value: KernelStorage
    let hasMask: Bool

    init(_ problem: AttentionProblem, _ device: DeviceDescription) throws(AttentionError) {
        guard let query = KernelStorage(problem.queryType), let value = KernelStorage(problem.valueType) else {
            throw .unsupported(device: device.name, reason: "its kernels have no f64 storage")
        }
        self.query = query
        self.value = value
        hasMask = problem.maskType != nil
    }
}
