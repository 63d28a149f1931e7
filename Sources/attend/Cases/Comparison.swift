import Attention

/// How a result compares with values that a file stores.
struct Comparison {
    /// The largest difference, infinite if a NaN or an infinity stands in one only.
    let largestError: Double
    /// The largest of difference / allowed difference: 1 or less passes.
    let ratio: Double

    var passes: Bool { ratio <= 1 }

    /// Differences of `tensor` from `stored`, each allowed `absolute + relative · |stored|`.
    ///
    /// The tolerances are the file's, or larger ones where the element type cannot hold more.
    init(_ tensor: Tensor, stored: Tensor, settings: CaseSettings) throws {
        guard tensor.shape == stored.shape else {
            (largestError, ratio) = (.infinity, .infinity)
            return
        }
        var relative = settings.relativeTolerance ?? 1e-5
        switch tensor.elementType {
        case .bfloat16: relative = max(relative, 0x1p-7)
        case .float16: relative = max(relative, 0x1p-10)
        default: break
        }
        let absolute = max(settings.absoluteTolerance ?? 0, 1e-7)
        var largest = 0.0
        var worst = 0.0
        for (value, expected) in zip(try tensor.doubles(), try stored.doubles()) {
            if value == expected || (value.isNaN && expected.isNaN) { continue }
            let error = abs(value - expected)
            largest = error.isNaN ? .infinity : max(largest, error)
            let allowed = absolute + relative * abs(expected)
            worst = error.isFinite && allowed.isFinite ? max(worst, error / allowed) : .infinity
        }
        (largestError, ratio) = (largest, worst)
    }
}
