import AttentionCore
import AttentionReference

/// What is wrong with a result.
struct Judgement: Sendable {
    let tensor: String
    let gate: String
    let ratio: Double
    let detail: String
}

/// The Double result of one case, and the verdict over others by it.
struct Judge: Sendable {
    private let expected: ExpectedResults

    /// Evaluates the case.
    init(_ prepared: PreparedCase) throws(AttentionError) {
        expected = ExpectedResults(prepared.problem, prepared.inputs)
    }

    /// Holds what a backend wrote to every gate.
    func verdict(
        _ outputs: AttentionOutputs, _ prepared: PreparedCase
    ) throws(AttentionError) -> (findings: [Judgement], ratios: [String: Double]) {
        var tally = GateTally()
        let problem = prepared.problem
        let output = try outputs.output.headMajorDoubles(columns: problem.shape.valueDimension)
        tally.judge("output", output, expected.output, problem.queryType, gates: ("G1", "G2"))
        if problem.queryType == .float32 { tally.judgeSpread(output, expected.output) }
        let attended = problem.shape.keyLength
        if problem.queryType != .float32, problem.queryType != .float64, prepared.isStandardNormal, attended <= 4096 {
            tally.judgeRounding(output, expected.output, problem.queryType)
        }
        if let tensor = outputs.logSumExp {
            tally.judge("logSumExp", try tensor.doubles(), expected.logSumExp, .float32, gates: ("L", nil))
        }
        if let tensor = outputs.scores {
            let gates: (String, String?) = problem.scores == .probabilities ? ("G1", nil) : ("S", nil)
            tally.judge("scores", try tensor.doubles(), expected.scores, problem.queryType, gates: gates)
        }
        for (name, present, past, new) in [
            ("presentKey", outputs.presentKey, prepared.inputs.pastKey, prepared.inputs.key),
            ("presentValue", outputs.presentValue, prepared.inputs.pastValue, prepared.inputs.value),
        ] {
            guard let present, let past else { continue }
            if try !present.isConcatenation(of: past, new) {
                tally.findings.append(
                    Judgement(
                        tensor: name, gate: "bits", ratio: .infinity, detail: "not the concatenation, bit for bit"))
            }
        }
        return (tally.findings, tally.ratios)
    }
}

extension PreparedCase {
    /// True where gate G3 holds: plain normal numbers, nothing that sharpens the softmax.
    var isStandardNormal: Bool {
        spec.logits == .normal && spec.scale == .standard && spec.softcap == nil && spec.poison == .none
            && spec.alibi == .none && ![.minus1e4, .minus65504, .minus8e37].contains(spec.maskPattern)
    }
}

extension Tensor {
    /// The elements as `[batch, head, row, column]`, also those of a tensor of rank 3.
    fileprivate func headMajorDoubles(columns: Int) throws(AttentionError) -> [Double] {
        guard rank == 3, columns > 0 else { return try doubles() }
        let view = try viewed(
            shape: [shape[0], shape[2] / columns, shape[1], columns],
            strides: [strides[0], columns * strides[2], strides[1], strides[2]], offset: layout.offset)
        return try view.doubles()
    }

    /// Whether this is `past` followed by `new` along the rows, which may be of rank 3.
    fileprivate func isConcatenation(of past: Tensor, _ new: Tensor) throws(AttentionError) -> Bool {
        let rows = past.shape[2]
        var tail = new
        if new.rank == 3 {
            let (heads, columns) = (shape[1], shape[3])
            tail = try new.viewed(
                shape: [new.shape[0], heads, new.shape[1], columns],
                strides: [new.strides[0], columns * new.strides[2], new.strides[1], new.strides[2]],
                offset: new.layout.offset)
        }
        let (front, back) = (try sliced(axis: 2, 0..<rows), try sliced(axis: 2, rows..<shape[2]))
        guard try front.contiguousBytes() == past.contiguousBytes() else { return false }
        return try back.contiguousBytes() == tail.contiguousBytes()
    }
}
