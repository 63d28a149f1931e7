import AttentionCore

extension Contract {
    /// Holds what a backend wrote to the reference.
    ///
    /// - Parameters:
    ///   - isStandardNormal: whether the operands were drawn from a standard normal distribution, as gate G3 needs.
    ///   - ratios: receives the largest ratio of each gate.
    /// - Returns: for each tensor and gate that failed, the worst place. Empty if all is right.
    public static func findings(
        _ outputs: AttentionOutputs, of problem: AttentionProblem, _ inputs: AttentionInputs,
        against reference: ReferenceResult, isStandardNormal: Bool = false, ratios: inout GateRatios
    ) throws(AttentionError) -> [Finding] {
        var judge = Judge(problem: problem, reference: reference)
        try judge.output(outputs.output, isStandardNormal: isStandardNormal)
        if let tensor = outputs.logSumExp { try judge.logSumExp(tensor) }
        if let tensor = outputs.scores { try judge.scores(tensor) }
        for (name, present, past, fresh) in [
            ("presentKey", outputs.presentKey, inputs.pastKey, inputs.key),
            ("presentValue", outputs.presentValue, inputs.pastValue, inputs.value),
        ] {
            guard let present, let past else { continue }
            try judge.present(name, present, past, fresh)
        }
        ratios.merge(judge.ratios)
        return judge.findings
    }

    public static func findings(
        _ outputs: AttentionOutputs, of problem: AttentionProblem, _ inputs: AttentionInputs,
        against reference: ReferenceResult, isStandardNormal: Bool = false
    ) throws(AttentionError) -> [Finding] {
        var ratios = GateRatios()
        return try findings(
            outputs, of: problem, inputs, against: reference, isStandardNormal: isStandardNormal, ratios: &ratios)
    }
}

/// Compares tensors with the reference, and keeps the worst of each gate.
private struct Judge {
    let problem: AttentionProblem
    let reference: ReferenceResult
    private(set) var ratios = GateRatios()
    private var worst: [String: Finding] = [:]

    init(problem: AttentionProblem, reference: ReferenceResult) {
        self.problem = problem
        self.reference = reference
    }

    var findings: [Finding] { worst.values.sorted { ($0.tensor, $0.gate) < ($1.tensor, $1.gate) } }

    private mutating func note(
        _ tensor: String, _ gate: String, _ ratio: Double, _ detail: @autoclosure () -> String
    ) {
        ratios.note(gate, ratio)
        guard !(ratio <= 1) else { return }
        let id = tensor + gate
        if let known = worst[id], known.ratio >= ratio { return }
        worst[id] = Finding(tensor: tensor, gate: gate, ratio: ratio, detail: detail())
    }

    /// The elements of the output in the order of the reference.
    private func outputElements(_ tensor: Tensor) throws(AttentionError) -> [Double] {
        return try tensor.splitIntoHeads(problem.shape.queryHeads).doubles()
    }

    /// True if nothing is promised of a row's numbers.
    private func isBeyond(_ row: RowFacts) -> Bool { !row.isBroken && row.largestIntermediate > Contract.largestScore }

    mutating func output(_ tensor: Tensor, isStandardNormal: Bool) throws(AttentionError) {
        let found = try outputElements(tensor)
        let type = tensor.elementType
        let columns = problem.shape.valueDimension
        let depth = problem.shape.headDimension
        var (squares, judged, missed, rounded, mostAttended) = (0.0, 0, 0, 0, 0)
        for (index, value) in found.enumerated() {
            let row = reference.rows[index / columns]
            if isBeyond(row) { continue }
            let expected = reference.output[index]
            let stored = type.rounded(expected)
            let place = "[\(index)] expected \(expected), found \(value)"
            note("output", "G0", value.isFinite == stored.isFinite ? 0 : .infinity, place)
            guard value.isFinite, stored.isFinite else { continue }
            let error = max(abs(value - expected) - Contract.rounding(type, expected), 0)
            let bound = reference.bounds[index]
            let accuracy = Contract.accuracy(bound, depth: depth, attended: row.attended)
            note("output", "G1", ratio(error, Contract.limit(bound, depth: depth, attended: row.attended)), place)
            note("output", "G2", ratio(error, 2 * accuracy), place)
            if !row.leaderValues.isEmpty {
                let exact = type.rounded(row.leaderValues[index % columns])
                note(
                    "output", "E", value == exact ? 0 : .infinity,
                    "[\(index)] expected exactly \(exact), found \(value)")
            }
            let relative = ratio(abs(value - expected), accuracy)
            squares += relative * relative
            judged += 1
            rounded += 1
            mostAttended = max(mostAttended, row.attended)
            if value != stored { missed += 1 }
        }
        if type == .float32, judged >= 64 {
            let rms = (squares / Double(judged)).squareRoot()
            note("output", "G4", rms / 0.25, "RMS of error over accuracy is \(rms)")
        }
        if type == .float16 || type == .bfloat16, isStandardNormal, problem.softcap == 0, mostAttended <= 4096,
            rounded > 0
        {
            // A hundredth, but never less than three: correct kernels missed 2 of 66 and 2 of 81 in some 12,000 cases.
            let allowed = max(Double(rounded) / 100, 3)
            note(
                "output", "G3", Double(missed) / allowed,
                "\(missed) of \(rounded) elements are not the rounded reference")
        }
    }

    mutating func logSumExp(_ tensor: Tensor) throws(AttentionError) {
        for (index, value) in try tensor.doubles().enumerated() {
            let row = reference.rows[index]
            if isBeyond(row) { continue }
            let expected = reference.logSumExp[index]
            let place = "[\(index)] expected \(expected), found \(value)"
            guard expected.isFinite else {
                let isSame = expected.isNaN ? value.isNaN : value == expected
                note("logSumExp", "G0", isSame ? 0 : .infinity, place)
                continue
            }
            let size =
                3 * Double(problem.shape.headDimension).squareRoot() * row.largestT + 4 * abs(expected)
                + Double(row.attended).squareRoot() + 10
            note("logSumExp", "L", value.isFinite ? abs(value - expected) / (Contract.unit * size) : .infinity, place)
        }
    }

    mutating func scores(_ tensor: Tensor) throws(AttentionError) {
        let type = tensor.elementType
        let depth = problem.shape.headDimension
        let keys = max(problem.shape.keyLength, 1)
        for (index, value) in try tensor.doubles().enumerated() {
            let row = reference.rows[index / keys]
            let expected = reference.scores[index]
            let bound = reference.scoreBounds[index]
            if bound.intermediate > Contract.largestScore && expected != .infinity { continue }
            if problem.scores == .probabilities && isBeyond(row) { continue }
            let stored = type.rounded(expected)
            let place = "[\(index)] expected \(expected), found \(value)"
            guard stored.isFinite, value.isFinite else {
                // Only exclusion is a promise of −∞; what overflows or was poisoned may be any of the three.
                let isSame = expected == -.infinity ? value == expected : value.isFinite == stored.isFinite
                note("scores", "G0", isSame ? 0 : .infinity, place)
                continue
            }
            let error = max(abs(value - expected) - Contract.rounding(type, expected), 0)
            if problem.scores == .probabilities {
                let limit = Contract.limit(bound.probability, depth: depth, attended: row.attended)
                note(
                    "scores", "G1",
                    ratio(error, expected == 0 && bound.probability.a == 0 && bound.probability.lost == 0 ? 0 : limit),
                    place)
            } else {
                let limit = Contract.unit * (Double(depth + 4) * bound.t + 10 * abs(expected)) + 0x1p-126
                note("scores", "S", ratio(error, expected == 0 && bound.t == 0 ? 0 : limit), place)
            }
        }
    }

    mutating func present(
        _ name: String, _ present: Tensor, _ past: Tensor, _ fresh: Tensor
    ) throws(AttentionError) {
        let freshView = try fresh.splitIntoHeads(present.shape[1])
        let pastRows = past.shape[2]
        for (part, expected) in [
            (try present.sliced(axis: 2, 0..<pastRows), past),
            (try present.sliced(axis: 2, pastRows..<present.shape[2]), freshView),
        ] where try part.contiguousBytes() != expected.contiguousBytes() {
            note(name, "bits", .infinity, "it is not the past rows and then the new ones")
        }
    }

    /// Nothing over nothing is nothing.
    private func ratio(_ error: Double, _ allowed: Double) -> Double { error == 0 ? 0 : error / allowed }
}
