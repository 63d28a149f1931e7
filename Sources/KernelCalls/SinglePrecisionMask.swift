import AttentionCore

extension AttentionInputs {
    /// Kernels have no `float64`: such a mask is rounded here. A finite number stays finite, since only −∞ excludes.
    public static func withSinglePrecisionMask(
        _ problem: AttentionProblem, _ inputs: AttentionInputs
    ) throws(AttentionError) -> (AttentionProblem, AttentionInputs) {
        guard let mask = inputs.mask.tensor, mask.elementType == .float64 else { return (problem, inputs) }
        let most = Double(Float.greatestFiniteMagnitude)
        let rounded = try mask.doubles().map { Float($0.isFinite ? min(max($0, -most), most) : $0) }
        var inputs = inputs
        let tensor = try Tensor(rounded, shape: mask.shape)
        inputs.mask.tensor = tensor
        return (try problem.replacingMask(tensor), inputs)
    }
}
