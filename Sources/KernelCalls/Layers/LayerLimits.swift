import AttentionCore

extension LayerOperation {
    /// Why its sizes are beyond what the kernels count; `nil` if they are not.
    public var kernelRefusal: String? {
        let largest =
            switch self {
            case .linear(let step): max(step.rows, step.inputs, step.outputs)
            case .normalization(let step): max(step.rows, step.columns)
            case .embedding(let step): max(step.rows, step.columns)
            case .additiveAttention(let step): max(step.batch, step.queries, step.keys, step.width, step.columns)
            case .rotary(let step): max(Self.rows(step.input.shape), step.input.shape[3])
            case .selection(let step): max(step.rows, step.columns)
            case .pooling(let step): max(step.input.rows, step.sequences, step.columns)
            // Counted in 64 bits.
            case .copy: 0
            }
        guard largest >= KernelProblem.lengthLimit else { return nil }
        return "a dimension of \(largest) is beyond \(KernelProblem.lengthLimit - 1)"
    }

    /// Rows of a tensor that may have no columns, and so any number of them: `Int.max` for what 64 bits do not hold.
    private static func rows(_ shape: [Int]) -> Int {
        shape.dropLast().reduce(1) { product, size in
            let (next, overflow) = product.multipliedReportingOverflow(by: size)
            return overflow ? .max : next
        }
    }
}
