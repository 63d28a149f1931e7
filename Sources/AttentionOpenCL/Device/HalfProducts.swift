import AttentionCore
import KernelCalls

/// Products in half, for callers that ask for ``Precision/fast``.
enum HalfProducts {
    /// Kernels that a plan of this precision may have.
    static let kernels = [TiledKernels.name, SplitKernels.name]

    /// What the kernel with halves says of itself.
    static let choice =
        "precision fast: products in half, sums of up to 8 of them; off by at most float's bound and"
        + " Σ p⁺·((e^δ − 1)·(|v| + |o|) + 11·2^-11·|v|) with δ = 11·2^-11·Σ|scale·q·k|, and what is lost below 2^-14"

    /// What a kernel says that needs none.
    static let needless =
        "precision fast: products stay in float, within its bound, as reading keys and values takes the time here"

    /// Why a device cannot; `nil` if it can.
    static func refusal(_ profile: DeviceProfile) -> String? {
        profile.multipliesHalves
            ? nil : "the device does not report cl_khr_fp16 with rounding to nearest (CL_DEVICE_HALF_FP_CONFIG)"
    }
}

extension Planner {
    /// Why there is no plan with products in half; `nil` if there may be.
    func fastRefusal(_ problem: AttentionProblem) -> String? {
        if let refusal = HalfProducts.refusal(backend.profile) { return refusal }
        let known = HalfProducts.kernels.joined(separator: ", ")
        if let kernel = policy.kernel {
            return HalfProducts.kernels.contains(kernel) ? nil : "the kernel '\(kernel)' has none; these do: \(known)"
        }
        guard width < 4 else {
            return
                "kernels for vectors of \(width) floats, which plans take here, compute in float; ask for one of \(known)"
        }
        return tiledRefusal(problem)
    }

    /// Kernels in the order in which they are tried, where products may be in half.
    func fastChoice(_ problem: AttentionProblem) -> (names: [String], refusals: [String]) {
        let refusal = "staged, flash_wide, decode_wide: the caller asked for precision fast, and they compute in float"
        let rows = DecodeSplit(problem, computeUnits: 1).rows
        guard rows <= DecodeSplit.mostRows, problem.scores == nil,
            SplitKernels.refusal(problem, backend, policy, width: width) == nil
        else { return ([TiledKernels.name], [refusal]) }
        let second = "flash_tiled: \(rows) rows to a key head would leave most work-items idle"
        return ([SplitKernels.name, TiledKernels.name], [refusal, second])
    }
}
