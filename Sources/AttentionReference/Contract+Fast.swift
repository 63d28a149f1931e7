import AttentionCore

extension Contract {
    /// G0, F1, F2 and E of ``Precision/fast``.
    static func measureFastOutput(
        _ tensor: Tensor, _ problem: AttentionProblem, _ reference: ReferenceResult
    ) throws(AttentionError) -> [Finding] {
        let s = problem.shape
        let shape = [s.batch, s.queryHeads, s.queryLength, s.valueDimension]
        let type = problem.queryType
        let found = try ReferenceOperands.view(tensor, problem.outputView(tensor), shape).doubles()
        var kind = GateMeter("output", "G0", shape: shape)
        var most = GateMeter("output", "F1", shape: shape)
        var exact = GateMeter("output", "E", shape: shape)
        var (squares, averaged, averagedRows) = (0.0, 0, 0)

        for row in reference.rows.indices where reference.rows[row].state != .unspecified {
            let facts = reference.rows[row]
            for index in row * s.valueDimension..<(row + 1) * s.valueDimension {
                let (actual, due) = (found[index], reference.output[index])
                let allowed =
                    reference.errorSums(index, facts, dimension: s.headDimension).largest
                    + reference.halfAllowance[index]
                let isRight = isOfRightKind(actual, expected: due, allowed: allowed, type)
                kind.note(isRight ? 0 : .infinity, index, found: actual, expected: due)
                guard actual.isFinite, due.isFinite else { continue }
                let error = abs(actual - due)
                let rounding = rounding(due, type)
                most.note(error: error, rounding: rounding, allowed: allowed, index, found: actual, expected: due)
                // The one value is rounded to half, or stays as it is where a kernel needs no halves.
                if facts.certainLead > RowWorker.decisiveLead, abs(due) >= HalfFacts.smallestNormal {
                    let value = type.rounded(ElementType.float16.rounded(due))
                    let isExact = actual == value || actual == type.rounded(due)
                    exact.note(isExact ? 0 : .infinity, index, found: actual, expected: value)
                }
                guard facts.lead >= 0 else { continue }
                averaged += 1
                let share = max(error - rounding, 0) / allowed
                if share > 0 { squares += share * share }
            }
            if facts.lead >= 0 { averagedRows += 1 }
        }

        var all = [kind, most, exact].compactMap(\.finding)
        if averaged >= 64, averagedRows >= fewestRows {
            let rms = (squares / Double(averaged)).squareRoot()
            all.append(
                Finding(
                    tensor: "output", gate: "F2", ratio: rms / largestFastRMS,
                    detail: "RMS(error/bound) is \(rms) over \(averaged) elements"))
        }
        return all
    }

    /// F2's limit.
    static let largestFastRMS = 0.1
}
