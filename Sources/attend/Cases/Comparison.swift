import Attention

/// How a result compares with values that a file stores.
struct Comparison {
    /// The largest difference, infinite if a NaN or an infinity stands in one only.
    let largestError: Double
    /// The largest of difference / allowed difference: 1 or less passes.
    let ratio: Double

    var passes: Bool { ratio <= 1 }

    /// Differences of `tensor` from `stored`, each allowed `absolute + relative · m`, where `m` is the largest finite size in the
    /// stored row that the element stands in.
    ///
    /// The row rather than the element sets the scale: results near zero are differences of large products, and a correct
    /// `float32` call misses them by far more than any share of themselves. The tolerances are the file's, or larger ones where
    /// the element type cannot hold more.
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
        let (values, expected) = (try tensor.doubles(), try stored.doubles())
        var (largest, worst) = (0.0, 0.0)
        let columns = max(stored.shape.last ?? 1, 1)
        for start in stride(from: 0, to: expected.count, by: columns) {
            let row = start..<start + columns
            let size = expected[row].reduce(0) { $1.isFinite ? max($0, abs($1)) : $0 }
            for index in row where !Self.areSame(values[index], expected[index]) {
                let error = abs(values[index] - expected[index])
                largest = error.isFinite ? max(largest, error) : .infinity
                worst = error.isFinite ? max(worst, error / (absolute + relative * size)) : .infinity
            }
        }
        (largestError, ratio) = (largest, worst)
    }

    private static func areSame(_ a: Double, _ b: Double) -> Bool { a == b || (a.isNaN && b.isNaN) }
}
