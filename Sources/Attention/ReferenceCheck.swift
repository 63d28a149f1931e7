import AttentionCore
import AttentionReference

/// The reference's result of one call, to hold others to.
///
/// ```swift
/// let check = try ReferenceCheck(problem, inputs)
/// let findings = try check.findings(outputs)      // empty if every gate holds
/// ```
/// The gates are those of SEMANTICS.md: what stands where NaN and infinities do, error bounds that follow from the operands, bits
/// of the present keys and values.
public struct ReferenceCheck: Sendable {
    public typealias Finding = AttentionReference.Finding

    private let problem: AttentionProblem
    private let inputs: AttentionInputs
    private let result: ReferenceResult

    /// Computes `problem` in `Double`. Cost: O(Lq · Lk · (D + Dv)) a head, in plain loops.
    ///
    /// - Parameters:
    ///   - problem: What is computed.
    ///   - inputs: Its operands.
    ///   - precision: What the results that are held to it were asked for, which decides their bounds.
    /// - Throws: `AttentionError` if the operands cannot be read.
    public init(_ problem: AttentionProblem, _ inputs: AttentionInputs, precision: Precision = .standard)
        throws(AttentionError)
    {
        self.problem = problem
        self.inputs = inputs
        result = try Reference.evaluate(problem, inputs, precision: precision)
    }

    /// For each tensor and gate that does not hold, the worst place.
    ///
    /// `isStandardNormal` says whether the operands were drawn from a standard normal distribution, as gate G3 needs.
    public func findings(
        _ outputs: AttentionOutputs, isStandardNormal: Bool = false
    ) throws(AttentionError) -> [Finding] {
        try Contract.findings(outputs, of: problem, inputs, against: result, isStandardNormal: isStandardNormal)
    }
}
