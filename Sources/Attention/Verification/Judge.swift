import AttentionCore
import AttentionReference

/// What is wrong with a result.
struct Judgement: Sendable {
    let tensor: String
    let gate: String
    let ratio: Double
    let detail: String
}

/// The reference's result of one case, and the verdict over others by it.
struct Judge: Sendable {
    /// - Throws: ``AttentionError`` if the reference cannot evaluate the case.
    init(_ prepared: PreparedCase) throws(AttentionError) {
        _ = prepared
    }

    func verdict(
        _ outputs: AttentionOutputs, _ prepared: PreparedCase
    ) throws(AttentionError) -> (findings: [Judgement], ratios: [String: Double]) {
        ([], [:])
    }
}
