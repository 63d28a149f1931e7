import AttentionCore

/// The private memory that wide kernels keep for a head dimension.
public enum WideRoom {
    /// The largest head dimension that private memory is made for.
    public static let limit = 1024

    /// Few sizes, so that many dimensions share a program: padding costs private memory and no time.
    public static func room(_ problem: AttentionProblem) -> Int {
        let dimension = max(problem.shape.headDimension, problem.shape.valueDimension)
        var room = 64
        while room < dimension { room *= 2 }
        return room
    }

    /// Why `kernel` cannot compute `problem`: too deep for its private memory; `nil` if it can.
    public static func refusal(_ problem: AttentionProblem, kernel: String) -> String? {
        let depth = max(problem.shape.headDimension, problem.shape.valueDimension)
        return depth <= limit ? nil : "\(kernel): a head dimension of \(depth) is beyond \(limit)"
    }
}
