import AttentionCore

/// What "numerically equivalent" means, as code: each gate compares a result with the reference.
///
/// With u = 2⁻²⁴, N the attended keys, D the head dimension, T_j = |scale|·Σ_d |q_d·k_jd| + |mask_j| + |alibi_j| +
/// 10·|s_j after softcap, if there is one|, g_j = max s − s_j, A = Σ p_j|v_j|, C1 = Σ p_j·T_j·|v_j| + |O|·Σ p_j·T_j and C2 the
/// same with g in place of T:
///
///     acc = u·( √D·C1 + 2·C2 + (√N + 10)·A ) + underflow       what a correct kernel is off by
///     det = u·( (D+4)·C1 + 4·C2 + 2(N+12)·A ) + underflow      what it can be off by at most
///     rnd = 0 for f32; u_out·|O| + tiny for f16 (2⁻¹¹, 2⁻²⁵) and bf16 (2⁻⁸, 2⁻¹³⁴)
///
/// underflow = 2⁻¹²⁶·(N + 2 + 4·Σ|v_j| over the keys more than 80 behind): `float32` takes small enough weights for zero, whatever
/// their values, and devices may take every product below 2⁻¹²⁶ for zero. No term relative to u covers that.
///
/// | gate | holds for | what |
/// |---|---|---|
/// | G0 | everything | NaN and infinities stand exactly where the reference's do |
/// | G1 | output; scores that are probabilities, with v = 1 | error − rnd ≤ det |
/// | G2 | output | error − rnd ≤ 2·acc |
/// | G3 | f16, bf16; standard normal inputs, no softcap, N ≤ 4096 | all but 1 %, or 3, of the elements are correctly rounded |
/// | G4 | f32, at least 64 elements of 8 rows that no sink leads | RMS(error / acc) ≤ 0.25 |
/// | E | rows whose best key is 110 ahead of each other and of the sink, after all that u·(D+4)·T of both may take off | exact |
/// | L | logSumExp | error ≤ u·( 3√D·max T + 4·abs(L) + √N + 10 ) |
/// | S | other scores | error − rnd ≤ u·( (D+4)·T + 10·abs(s) ) + 2⁻¹²⁶ |
/// | bits | present keys and values | the same bytes |
///
/// A sink counts as a key with a value of 0 and T = |sink|. `float64` results are rounded by 2⁻⁵³ and held to the gates of f32.
///
/// ## Products in half
///
/// ``Precision/fast`` has a bound of its own. Queries (scale included), keys, weights and values are rounded to half, h = 2⁻¹¹, and
/// 8 products are added up in half; ten roundings meet, and 11h covers what they multiply to. Each half below t = 2⁻¹⁴ may vanish,
/// though devices that keep subnormal numbers lose less. With δ_j = 11h·Σ_d |scale·q_d·k_jd| and what is lost of a score, 4 times that
/// sum at most and t·Σ_d(|k_jd| + 3/2·|scale·q_d| + 2), each weight p_j is between p_j·e^−δ_j and p_j·e^δ_j of their own sum Z:
///
///     O' − O = Σ p_j·(e^ε_j − 1)·(v_j − O) / Z'     P_j = p_j·e^δ_j / Z     Z = Σ p_j·e^−δ_j     R = min(max P_j, 1)
///     half = Σ p_j·(e^δ_j − 1)·(|v_j| + |O|)/Z + Σ (11h·P_j + min(t·R, P_j))·|v_j| + t·P_j + 2·min(t·R, P_j·|v_j|)
///
/// | gate | holds for | what |
/// |---|---|---|
/// | G0 | everything | as above |
/// | F1 | output | error − rnd ≤ det + half |
/// | F2 | at least 64 elements of 8 rows that no sink leads | RMS((error − rnd) / (det + half)) ≤ 0.1 |
/// | E | as above, δ of both keys taken off as well; values of 2⁻¹⁴ and more | the value, or the value rounded to half, exactly |
/// | L | logSumExp | as above and ln Σ p_j·e^δ_j |
///
/// Scores that a call asks for are in float always. Nothing is promised of a row that half has no room for: for some key that it
/// attends Σ_d |scale·q_d·k_jd|, an element of the key or one of scale·q is beyond 41,000, or one of the value beyond 8,000.
public enum Contract {
    /// Half a unit in the last place of `float32`.
    static let u = 0x1p-24
    /// The smallest normal number of `float32`. Devices may flush smaller ones to zero.
    static let smallestNormal = 0x1p-126
    /// Weights of keys this far behind the best may vanish: e⁻⁸⁰ is still normal in `float32`, e⁻⁸⁸ is not.
    static let vanishingGap = 80.0

    /// The gates that `outputs` fails: for each tensor and gate the worst element. Empty if all is right.
    ///
    /// - Parameters:
    ///   - outputs: what an implementation wrote.
    ///   - reference: what ``Reference`` says, computed with bounds.
    ///   - isStandardNormal: query, key and value were drawn from N(0, 1), so that G3 applies.
    ///   - ratios: takes note of the largest ratio of each gate, passed or not.
    /// - Throws: ``AttentionError/invalid(_:)`` if the outputs are not those of the call; what a device throws in a download.
    public static func findings(
        _ outputs: AttentionOutputs, of problem: AttentionProblem, _ inputs: AttentionInputs,
        against reference: ReferenceResult, isStandardNormal: Bool = false, ratios: inout GateRatios
    ) throws(AttentionError) -> [Finding] {
        let all = try measure(outputs, of: problem, inputs, against: reference, isStandardNormal: isStandardNormal)
        for finding in all { ratios.note(finding.gate, finding.ratio) }
        return all.filter { $0.ratio > 1 }
    }

    /// The gates that `outputs` fails, for callers who do not ask how closely the others were passed.
    public static func findings(
        _ outputs: AttentionOutputs, of problem: AttentionProblem, _ inputs: AttentionInputs,
        against reference: ReferenceResult, isStandardNormal: Bool = false
    ) throws(AttentionError) -> [Finding] {
        var ratios = GateRatios()
        return try findings(
            outputs, of: problem, inputs, against: reference, isStandardNormal: isStandardNormal, ratios: &ratios)
    }

    /// Every gate that applies to `outputs`, passed or not: for each tensor and gate the worst element.
    ///
    /// Parameters and errors are those of ``findings(_:of:_:against:isStandardNormal:)``.
    public static func measure(
        _ outputs: AttentionOutputs, of problem: AttentionProblem, _ inputs: AttentionInputs,
        against reference: ReferenceResult, isStandardNormal: Bool = false
    ) throws(AttentionError) -> [Finding] {
        try problem.check(outputs, for: inputs)
        guard reference.absolute.count == reference.output.count else {
            throw .invalid("reference", .combination, expected: "a result with bounds", found: "one without")
        }
        var all =
            reference.precision == .fast
            ? try measureFastOutput(outputs.output, problem, reference)
            : try measureOutput(outputs.output, problem, reference, isStandardNormal)
        if let tensor = outputs.logSumExp { all += try measureLogSumExp(tensor, problem, reference) }
        if let tensor = outputs.scores { all += try measureScores(tensor, problem, reference) }
        var unequal: [String: Bool] = [:]
        for part in try PresentPart.all(problem, inputs, outputs) {
            let isEqual = try part.present.contiguousBytes() == part.source.contiguousBytes()
            unequal[part.name] = unequal[part.name, default: false] || !isEqual
        }
        for (name, isWrong) in unequal.sorted(by: { $0.key < $1.key }) {
            all.append(
                Finding(
                    tensor: name, gate: "bits", ratio: isWrong ? .infinity : 0,
                    detail: isWrong ? "it is not the past rows and then the new ones" : "equal"))
        }
        return all
    }

    /// rnd: what rounding the result `value` to `type` may move it by. 0 for `float32`, whose rounding is within the bounds.
    static func rounding(_ value: Double, _ type: ElementType) -> Double {
        switch type {
        case .float16: type.unitRoundoff * abs(value) + 0x1p-25
        case .bfloat16: type.unitRoundoff * abs(value) + 0x1p-134
        case .float64: type.unitRoundoff * abs(value)
        case .float32, .bool, .int32, .int64: 0
        }
    }
}
