import AttentionCore
import KernelCalls

/// Chooses the kernel for a problem, and says why it passed the others over.
struct Planner {
    /// Kernels by the names that a policy takes.
    static let kernels = ["staged", "flash_wide", "decode_wide", "flash_tiled", "decode_split"]

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
        case "flash_wide": return try FusedPlan<FlashKernels>(problem, policy, backend, width: width)
        case "decode_wide": return try FusedPlan<DecodeKernels>(problem, policy, backend, width: width)
        case "flash_tiled": return try FusedPlan<TiledKernels>(problem, policy, backend, width: width)
        case "decode_split": return try FusedPlan<SplitKernels>(problem, policy, backend, width: width)
        case nil: break
        case let name?:
            let known = Self.kernels.joined(separator: ", ")
            throw .unsupported(device: backend.device.name, reason: "there is no kernel '\(name)'; it has: \(known)")
        }
        if problem.scores != nil {
            let refusal =
                "flash_wide, decode_wide, flash_tiled: the call asks for scores, which the staged kernels have at hand"
            return try StagedPlan(problem, policy, backend, refusals: [refusal])
        }
        if let refusal = FlashKernels.refusal(problem, backend, policy, width: width) {
            if let second = tiledRefusal(problem) {
                return try StagedPlan(problem, policy, backend, refusals: [refusal, second])
            }
            let rows = DecodeSplit(problem, computeUnits: 1).rows
            if rows <= DecodeSplit.mostRows, SplitKernels.refusal(problem, backend, policy, width: width) == nil {
                return try FusedPlan<SplitKernels>(
                    problem, policy, backend, width: width,
                    refusals: [refusal, "flash_tiled: \(rows) rows to a key head would leave most work-items idle"])
            }
            return try FusedPlan<TiledKernels>(problem, policy, backend, width: width, refusals: [refusal])
        }
        let rows = DecodeSplit(problem, computeUnits: 1).rows
        if rows <= DecodeSplit.mostRows {
            return try FusedPlan<DecodeKernels>(
                problem, policy, backend, width: width,
                refusals: ["flash_wide: \(rows) rows to a key head would leave most lanes empty"])
        }
        return try FusedPlan<FlashKernels>(
            problem, policy, backend, width: width,
            refusals: ["decode_wide: \(rows) rows to a key head are more than \(DecodeSplit.mostRows)"])
    }

    /// Why `flash_tiled` is not chosen; `nil` if it is.
    private func tiledRefusal(_ problem: AttentionProblem) -> String? {
        guard backend.hasDedicatedLocalMemory || policy.family == "tiled" else {
            return "\(TiledKernels.name): local memory is ordinary memory here, so that tiles in it save nothing"
        }
        return TiledKernels.refusal(problem, backend, policy, width: width)
    }
}
