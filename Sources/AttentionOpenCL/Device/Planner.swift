import AttentionCore
import KernelCalls

/// Chooses the kernel for a problem, and says why it passed the others over.
struct Planner {
    /// Kernels by the names that a policy takes.
    static let kernels = ["staged", "flash_wide", "decode_wide", "flash_tiled", "decode_split"]
    /// Those with tiles to choose.
    static let spaces = [
        FlashKernels.name: FlashKernels.space, DecodeKernels.name: DecodeKernels.space,
        TiledKernels.name: TiledKernels.space, SplitKernels.name: SplitKernels.space,
    ]

    let backend: OpenCLBackend
    let policy: PlanPolicy
    /// Floats to a vector.
    let width: Int

    init(_ backend: OpenCLBackend, _ policy: PlanPolicy) throws(AttentionError) {
        self.backend = backend
        self.policy = policy
        width = try backend.width(policy)
    }

    func plan(_ problem: AttentionProblem) throws(AttentionError) -> any BackendPlan {
        if policy.precision == .fast, let refusal = fastRefusal(problem) {
            throw .unsupported(device: backend.device.name, reason: "precision fast: \(refusal)")
        }
        guard let tuning = backend.tuning(problem, policy) else { return try plan(problem, []) }
        var tuned = policy
        (tuned.kernel, tuned.tiles) = (tuning.kernel, tuning.sizes)
        do throws(AttentionError) {
            return try Planner(backend, tuned).make(tuning.kernel, problem, [], [], choices: [tuning.reason])
        } catch {
            guard case .unsupported(_, let reason) = error else { throw error }
            return try plan(problem, ["tuned tiles: \(reason)"])
        }
    }

    private func plan(_ problem: AttentionProblem, _ warnings: [String]) throws(AttentionError) -> any BackendPlan {
        if let name = policy.kernel { return try make(name, problem, [], warnings) }
        var (names, refusals) = choice(problem)
        let last = names.removeLast()
        var warnings = warnings
        for name in names {
            do throws(AttentionError) { return try make(name, problem, refusals, warnings) } catch {
                // What a compiler or a self-test made of it: the next kernel takes over.
                guard case .unsupported(_, let reason) = error else { throw error }
                warnings.append(reason)
                refusals.removeAll { $0.hasPrefix("\(name): ") }
            }
        }
        return try make(last, problem, refusals, warnings)
    }

    private func make(
        _ name: String, _ problem: AttentionProblem, _ refusals: [String], _ warnings: [String], choices: [String] = []
    ) throws(AttentionError) -> any BackendPlan {
        // The chosen one may have stood behind another.
        let refusals = refusals.filter { !$0.hasPrefix("\(name): ") }
        switch name {
        case "staged": return try StagedPlan(problem, policy, backend, refusals: refusals, warnings: warnings)
        case "flash_wide": return try fused(FlashKernels.self, problem, refusals, warnings, choices)
        case "decode_wide": return try fused(DecodeKernels.self, problem, refusals, warnings, choices)
        case "flash_tiled": return try fused(TiledKernels.self, problem, refusals, warnings, choices)
        case "decode_split": return try fused(SplitKernels.self, problem, refusals, warnings, choices)
        default:
            let known = Self.kernels.joined(separator: ", ")
            throw .unsupported(device: backend.device.name, reason: "there is no kernel '\(name)'; it has: \(known)")
        }
    }

    private func fused<Kernels: FusedKernels>(
        _: Kernels.Type, _ problem: AttentionProblem, _ refusals: [String], _ warnings: [String], _ choices: [String]
    ) throws(AttentionError) -> FusedPlan<Kernels> {
        try FusedPlan<Kernels>(
            problem, policy, backend, width: width, refusals: refusals, warnings: warnings, choices: choices)
    }

    /// Kernels in the order in which they are tried, and why others are not or come later.
    private func choice(_ problem: AttentionProblem) -> (names: [String], refusals: [String]) {
        if policy.precision == .fast { return fastChoice(problem) }
        if problem.scores != nil {
            let others = Self.kernels.filter { $0 != "staged" }.joined(separator: ", ")
            return (["staged"], ["\(others): the call asks for scores, which the staged kernels have at hand"])
        }
        let rows = DecodeSplit(problem, computeUnits: 1).rows
        if let refusal = FlashKernels.refusal(problem, backend, policy, width: width) {
            if let second = tiledRefusal(problem) { return (["staged"], [refusal, second]) }
            guard rows <= DecodeSplit.mostRows, SplitKernels.refusal(problem, backend, policy, width: width) == nil
            else { return (["flash_tiled", "staged"], [refusal]) }
            let second = "flash_tiled: \(rows) rows to a key head would leave most work-items idle"
            return (["decode_split", "flash_tiled", "staged"], [refusal, second])
        }
        guard rows <= DecodeSplit.mostRows else {
            let refusal = "decode_wide: \(rows) rows to a key head are more than \(DecodeSplit.mostRows)"
            return (["flash_wide", "staged"], [refusal])
        }
        let refusal = "flash_wide: \(rows) rows to a key head would leave most lanes empty"
        return (["decode_wide", "flash_wide", "staged"], [refusal])
    }

    /// Why `flash_tiled` is not chosen; `nil` if it is.
    func tiledRefusal(_ problem: AttentionProblem) -> String? {
        guard backend.profile.hasDedicatedLocalMemory || policy.family == "tiled" else {
            return "\(TiledKernels.name): local memory is ordinary memory here, so that tiles in it save nothing"
        }
        return TiledKernels.refusal(problem, backend, policy, width: width)
    }
}
