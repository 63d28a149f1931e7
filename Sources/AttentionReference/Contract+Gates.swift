import AttentionCore

extension Contract {
    /// Whether a result stands where a NaN or an infinity is due, or a number; `nil` where both are right.
    ///
    /// - Parameter allowed: how far a correct result may be from `expected` before it is rounded to `type`: near the largest number
    ///   of a type, one side rounds to infinity and the other does not.
    static func isOfRightKind(_ found: Double, expected: Double, allowed: Double, _ type: ElementType) -> Bool {
        if expected.isNaN { return found.isNaN }
        if expected.isInfinite { return !found.isFinite }
        let rounded = type.rounded(expected)
        if found.isFinite && rounded.isFinite { return true }
        if found.isNaN { return false }
        let low = type.rounded(expected - allowed)
        let high = type.rounded(expected + allowed)
        return found.isInfinite ? (found == low || found == high) : (low.isFinite || high.isFinite)
    }

    /// G0 to G4 and E.
    static func measureOutput(
        _ tensor: Tensor, _ problem: AttentionProblem, _ reference: ReferenceResult, _ isStandardNormal: Bool
    ) throws(AttentionError) -> [Finding] {
        let s = problem.shape
        let shape = [s.batch, s.queryHeads, s.queryLength, s.valueDimension]
        let type = problem.queryType
        let found = try ReferenceOperands.view(tensor, problem.outputView(tensor), shape).doubles()
        var kind = GateMeter("output", "G0", shape: shape)
        var most = GateMeter("output", "G1", shape: shape)
        var usual = GateMeter("output", "G2", shape: shape)
        var exact = GateMeter("output", "E", shape: shape)
        var (squares, averaged, averagedRows) = (0.0, 0, 0)
        var (measured, misrounded) = (0, 0)
        var largestN = 0

        for row in reference.rows.indices where reference.rows[row].state != .unspecified {
            let facts = reference.rows[row]
            largestN = max(largestN, facts.attended)
            for index in row * s.valueDimension..<(row + 1) * s.valueDimension {
                let (actual, due) = (found[index], reference.output[index])
                let sums = reference.errorSums(index, facts, dimension: s.headDimension)
                let (det, acc) = (sums.largest, sums.usual)
                let isRight = isOfRightKind(actual, expected: due, allowed: det, type)
                kind.note(isRight ? 0 : .infinity, index, found: actual, expected: due)
                guard actual.isFinite, due.isFinite else { continue }
                let error = abs(actual - due)
                let rounding = rounding(due, type)
                most.note(error: error, rounding: rounding, allowed: det, index, found: actual, expected: due)
                usual.note(error: error, rounding: rounding, allowed: 2 * acc, index, found: actual, expected: due)
                if facts.certainLead > RowWorker.decisiveLead {
                    exact.note(actual == type.rounded(due) ? 0 : .infinity, index, found: actual, expected: due)
                }
                measured += 1
                if actual != type.rounded(due) { misrounded += 1 }
                // 0/0 is 0. Behind a sink all keys are far from the maximum by the same distance: see ``fewestRows``.
                guard facts.lead >= 0 else { continue }
                averaged += 1
                if error > 0 { squares += (error / acc) * (error / acc) }
            }
            if facts.lead >= 0 { averagedRows += 1 }
        }

        var all = [kind, most, usual, exact].compactMap(\.finding)
        if type == .float16 || type == .bfloat16, isStandardNormal, problem.softcap == 0, largestN <= 4096, measured > 0
        {
            let allowed = allowedMisroundings(of: measured)
            all.append(
                Finding(
                    tensor: "output", gate: "G3", ratio: Double(misrounded) / allowed,
                    detail: "\(misrounded) of \(measured) elements are not the correctly rounded reference"))
        }
        if type == .float32, averaged >= 64, averagedRows >= fewestRows {
            let rms = (squares / Double(averaged)).squareRoot()
            all.append(
                Finding(
                    tensor: "output", gate: "G4", ratio: rms / largestRMS,
                    detail: "RMS(error/acc) is \(rms) over \(averaged) elements"))
        }
        return all
    }

    /// G4's limit.
    static let largestRMS = 0.25

    /// G4 needs this many rows. The elements of one row share the errors of its weights, so that many elements of few rows do not
    /// average: 6 of 6,000 correct results of one row reached up to 0.41, 3 of two rows 0.32, none of four or more 0.25. Rows behind
    /// a sink do not count: where all keys are 70 behind, correct results of 64 elements reached 0.32.
    static let fewestRows = 8

    /// G3's limit: a hundredth, but never less than three. Correct kernels missed 2 of 66 and 2 of 81 in some 12,000 cases.
    static func allowedMisroundings(of count: Int) -> Double { max(Double(count) / 100, 3) }

    /// G0 and L.
    static func measureLogSumExp(
        _ tensor: Tensor, _ problem: AttentionProblem, _ reference: ReferenceResult
    ) throws(AttentionError) -> [Finding] {
        let s = problem.shape
        let shape = [s.batch, s.queryHeads, s.queryLength]
        let found = try tensor.doubles()
        var kind = GateMeter("logSumExp", "G0", shape: shape)
        var size = GateMeter("logSumExp", "L", shape: shape)
        for (index, facts) in reference.rows.enumerated() where facts.state != .unspecified {
            let (actual, due) = (found[index], reference.logSumExp[index])
            // An empty row has no computation to be wrong: it is the sink, or −∞.
            let isRight =
                due == -.infinity ? actual == due : actual.isNaN == due.isNaN && actual.isInfinite == due.isInfinite
            kind.note(isRight ? 0 : .infinity, index, found: actual, expected: due)
            guard actual.isFinite, due.isFinite else { continue }
            size.note(
                error: abs(actual - due), rounding: 0,
                allowed: logSumExpAllowance(due, facts, dimension: s.headDimension) + facts.logSumExpSlack,
                index, found: actual, expected: due)
        }
        return [kind, size].compactMap(\.finding)
    }

    /// L's limit. Three times √D·T, not once: one row's score is not averaged over keys, and single rows of correct kernels came to
    /// 1.59 times the plain term at logits near 7000 with D = 192, and beyond twice with the short loops of scalar devices.
    static func logSumExpAllowance(_ value: Double, _ facts: ReferenceRow, dimension: Int) -> Double {
        u
            * (3 * Double(dimension).squareRoot() * facts.largestTerm + 4 * abs(value)
                + Double(facts.attended).squareRoot() + 10)
    }

    /// G0, and S or G1.
    static func measureScores(
        _ tensor: Tensor, _ problem: AttentionProblem, _ reference: ReferenceResult
    ) throws(AttentionError) -> [Finding] {
        guard let scores = reference.scores, let allowances = reference.scoreAllowance else { return [] }
        let s = problem.shape
        let shape = [s.batch, s.queryHeads, s.queryLength, s.keyLength]
        let found = try tensor.doubles()
        var kind = GateMeter("scores", "G0", shape: shape)
        var size = GateMeter("scores", problem.scores == .probabilities ? "G1" : "S", shape: shape)
        for index in scores.indices where allowances[index] < .infinity {
            let (actual, due) = (found[index], scores[index])
            let isRight =
                due.isInfinite
                ? actual == due : isOfRightKind(actual, expected: due, allowed: allowances[index], problem.queryType)
            kind.note(isRight ? 0 : .infinity, index, found: actual, expected: due)
            guard actual.isFinite, due.isFinite else { continue }
            size.note(
                error: abs(actual - due), rounding: rounding(due, problem.queryType), allowed: allowances[index],
                index, found: actual, expected: due)
        }
        return [kind, size].compactMap(\.finding)
    }
}
