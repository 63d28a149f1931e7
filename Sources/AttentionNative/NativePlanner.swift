import AttentionCore
import HostKernels
import KernelCalls

/// Chooses the kernel for a problem, and says why it passed the others over.
struct NativePlanner {
    /// Kernels by the names that a policy takes.
    static let kernels = ["staged", "flash_wide", "decode_wide"]

    private let backend: NativeBackend
    private let policy: PlanPolicy

    init(_ backend: NativeBackend, _ policy: PlanPolicy) throws(AttentionError) {
        guard policy.family == nil || policy.family == "wide" else {
            throw .unsupported(device: backend.device.name, reason: "its kernels are of the family 'wide' alone")
        }
        self.backend = backend
        self.policy = policy
    }

    func plan(_ problem: AttentionProblem) throws(AttentionError) -> any BackendPlan {
        switch policy.kernel {
        case "staged": return staged(problem, [])
        case "flash_wide": return try flash(problem, [])
        case "decode_wide": return try decode(problem, [])
        case nil: break
        case let name?:
            let known = Self.kernels.joined(separator: ", ")
            throw .unsupported(device: backend.device.name, reason: "there is no kernel '\(name)'; it has: \(known)")
        }
        if problem.scores != nil {
            return staged(
                problem, ["flash_wide, decode_wide: the call asks for scores, which the staged kernels have at hand"])
        }
        if let refusal = WideRoom.refusal(problem, kernel: "flash_wide") { return staged(problem, [refusal]) }
        let rows = DecodeSplit(problem, computeUnits: 1).rows
        if rows <= DecodeSplit.mostRows {
            return try decode(problem, ["flash_wide: \(rows) rows to a key head would leave most lanes empty"])
        }
        return try flash(problem, ["decode_wide: \(rows) rows to a key head are more than \(DecodeSplit.mostRows)"])
    }

    private func staged(_ problem: AttentionProblem, _ refusals: [String]) -> any BackendPlan {
        NativePlan(NativeStaged(problem, policy, backend, onlyScores: false), nil, problem, backend, refusals)
    }

    private func flash(
        _ problem: AttentionProblem, _ refusals: [String]
    ) throws(AttentionError) -> any BackendPlan {
        try fused(NativeFlash(problem, backend), problem, refusals)
    }

    private func decode(
        _ problem: AttentionProblem, _ refusals: [String]
    ) throws(AttentionError) -> any BackendPlan {
        try fused(NativeDecode(problem, backend), problem, refusals)
    }

    /// No fused kernel has scores: the staged ones write those that a call asks for.
    private func fused<Kernels: NativeKernels>(
        _ kernels: Kernels, _ problem: AttentionProblem, _ refusals: [String]
    ) throws(AttentionError) -> any BackendPlan {
        if let refusal = WideRoom.refusal(problem, kernel: Kernels.name) {
            throw .unsupported(device: backend.device.name, reason: refusal)
        }
        let scores = problem.scores == nil ? nil : NativeStaged(problem, policy, backend, onlyScores: true)
        return NativePlan(kernels, scores, problem, backend, refusals)
    }
}
