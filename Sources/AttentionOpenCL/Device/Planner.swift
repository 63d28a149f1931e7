import AttentionCore

/// Chooses the kernel for a problem, and says why it passed the others over.
struct Planner {
    /// Kernels by the names that a policy takes.
    static let kernels = ["staged", "flash_wide"]

    private let backend: OpenCLBackend
    private let policy: PlanPolicy
    /// Floats to a vector.
    private let width: Int

    init(_ backend: OpenCLBackend, _ policy: PlanPolicy) throws(AttentionError) {
        self.backend = backend
        self.policy = policy
        width = try backend.width(policy)
    }

    func plan(_ problem: AttentionProblem) throws(AttentionError) -> any BackendPlan {
        switch policy.kernel {
        case "staged": return try StagedPlan(problem, policy, backend)
        case "flash_wide": return try FlashPlan(problem, policy, backend, width: width)
        case nil: break
        case let name?:
            let known = Self.kernels.joined(separator: ", ")
            throw .unsupported(device: backend.device.name, reason: "there is no kernel '\(name)'; it has: \(known)")
        }
        var refusals: [String] = []
        if problem.scores != nil {
            refusals.append("flash_wide: the call asks for scores, which the staged kernels have at hand")
        } else if let refusal = FlashPlan.refusal(problem, width: width) {
            refusals.append(refusal)
        } else {
            return try FlashPlan(problem, policy, backend, width: width)
        }
        return try StagedPlan(problem, policy, backend, refusals: refusals)
    }
}
