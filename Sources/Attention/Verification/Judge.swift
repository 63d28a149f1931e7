import AttentionCore
import AttentionReference

/// The reference of one case, and the verdict over others by it.
struct Judge: Sendable {
    private let reference: ReferenceResult

    /// Evaluates the case, for results of a precision.
    init(_ prepared: PreparedCase, _ precision: Precision = .standard) throws(AttentionError) {
        reference = try Reference.evaluate(prepared.problem, prepared.inputs, precision: precision)
    }

    /// Holds what a backend wrote to every gate.
    func verdict(
        _ outputs: AttentionOutputs, _ prepared: PreparedCase
    ) throws(AttentionError) -> (findings: [Finding], ratios: GateRatios) {
        var ratios = GateRatios()
        let findings = try Contract.findings(
            outputs, of: prepared.problem, prepared.inputs, against: reference,
            isStandardNormal: prepared.isStandardNormal, ratios: &ratios)
        return (findings, ratios)
    }
}

extension PreparedCase {
    /// True where gate G3 holds: plain normal numbers, nothing that sharpens the softmax.
    var isStandardNormal: Bool {
        spec.logits == .normal && spec.scale == .standard && spec.softcap == nil && spec.poison == .none
            && spec.alibi == .none && ![.minus1e4, .minus65504, .minus8e37].contains(spec.maskPattern)
    }
}
