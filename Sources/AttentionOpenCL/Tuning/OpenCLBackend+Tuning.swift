import AttentionCore
public import KernelCalls

/// Where a search for a kernel's tiles begins.
public struct TuningStart: Sendable {
    public let kernel: String
    /// What the kernel would take by itself.
    public let sizes: [String: Int]
    public let space: TileSpace
}

extension OpenCLBackend {
    /// The kernels with tiles that can compute `problem`, with the tiles they would take: those of the device's family, or the one that
    /// the policy names. Cost: their builds, unless they are cached.
    public func tuningStarts(
        _ problem: AttentionProblem, _ policy: PlanPolicy
    ) throws(AttentionError) -> [TuningStart] {
        let isWide = try width(policy) >= 4
        let isFew = DecodeSplit(problem, computeUnits: 1).rows <= DecodeSplit.mostRows
        let names = isWide ? ["flash_wide", "decode_wide"] : ["flash_tiled", "decode_split"]
        let fitting = names.filter { isFew || $0.hasPrefix("flash") }
        let wanted = policy.kernel.map { [$0] } ?? fitting
        var starts: [TuningStart] = []
        var last: AttentionError?
        for name in wanted {
            guard let space = Planner.spaces[name] else { continue }
            do throws(AttentionError) {
                let own = PlanPolicy(
                    kernel: name, family: policy.family, usesTuning: false, workspaceLimit: policy.workspaceLimit,
                    precision: policy.precision)
                let plan = try Planner(self, own).plan(problem)
                starts.append(TuningStart(kernel: name, sizes: plan.explanation.sizes, space: space))
            } catch {
                last = error
            }
        }
        if starts.isEmpty {
            throw last
                ?? .unsupported(
                    device: device.name, reason: "\(wanted.joined(separator: ", ")): there are no tiles to choose")
        }
        return starts
    }

    /// Has plans for calls like `problem` take `tuning`, in this process and, where programs are kept, in those to come.
    ///
    /// - Returns: Whether it was written to disk.
    public func keep(_ tuning: KernelTuning, for problem: AttentionProblem, _ policy: PlanPolicy) -> Bool {
        tunings.keep(tuning, ShapeClass(problem, policy))
    }

    /// Has plans for calls like `problem` choose by themselves again.
    public func forgetTuning(for problem: AttentionProblem, _ policy: PlanPolicy) {
        tunings.forget(ShapeClass(problem, policy))
    }

    /// What a search found for calls like `problem`; `nil` where the policy wants none.
    func tuning(_ problem: AttentionProblem, _ policy: PlanPolicy) -> KernelTuning? {
        guard policy.usesTuning, policy.tiles.isEmpty, problem.scores == nil else { return nil }
        let found = tunings.tuning(ShapeClass(problem, policy))
        return policy.kernel == nil || policy.kernel == found?.kernel ? found : nil
    }
}
