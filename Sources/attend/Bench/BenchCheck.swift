import Attention

/// Holds a result to the reference before it is timed: all of it, or rows of some heads where that would take minutes.
struct BenchCheck {
    /// True if every gate holds.
    let passes: Bool
    /// What was looked at.
    let coverage: String
    /// The gate that does not hold.
    let failure: String?

    /// The most products of a query and a key that are computed in `Double`.
    private static let budget = 300_000_000

    init(_ bench: BenchShape, _ inputs: AttentionInputs, output: Tensor) throws {
        let s = bench.shape
        let whole = s.batch * s.queryHeads * s.queryLength * s.keyLength * (s.headDimension + s.valueDimension)
        if whole <= Self.budget {
            let findings = try Self.findings(inputs, output)
            self.init(findings, "everything")
            return
        }
        // The first and the last rows of the first and the last head of the first and the last batch entry.
        let entries = Set([0, s.batch - 1]).sorted()
        let heads = Set([0, s.queryHeads - 1]).sorted()
        let cost = entries.count * heads.count * 2 * s.keyLength * (s.headDimension + s.valueDimension)
        let rows = min(s.queryLength, max(4, Self.budget / cost))
        // Rows that are not the first keep their place among the keys only where `part` can give it to them.
        let canMove =
            bench.isCausal ? s.queryLength <= s.keyLength : bench.windowLeft == nil || s.queryLength == s.keyLength
        let starts = canMove ? Set([0, s.queryLength - rows]).sorted() : [0]
        var findings: [CaseFinding] = []
        for entry in entries {
            for head in heads {
                for start in starts {
                    let part = try Self.part(bench, inputs, output, entry, head, start..<start + rows)
                    findings += try Self.findings(part.inputs, part.output)
                }
            }
        }
        self.init(findings, "\(starts.count) × \(rows) rows of \(entries.count * heads.count) heads")
    }

    private init(_ findings: [CaseFinding], _ coverage: String) {
        passes = findings.isEmpty
        failure = findings.first.map { "\($0.gate) ×\(Pretty.fixed($0.ratio, 3))" }
        self.coverage = coverage
    }

    /// Some rows of one head as a call of their own. Aligning them with the last key puts each where it stood: under a causal
    /// mask once the keys after them are left out, with a window alone if they are the last of as many rows as keys.
    private static func part(
        _ bench: BenchShape, _ inputs: AttentionInputs, _ output: Tensor, _ entry: Int, _ head: Int, _ rows: Range<Int>
    ) throws -> (inputs: AttentionInputs, output: Tensor) {
        let s = bench.shape
        let keyHead = head * s.keyValueHeads / s.queryHeads
        var keys = 0..<s.keyLength
        var mask = bench.mask
        if rows.lowerBound > 0, bench.isCausal || bench.windowLeft != nil {
            if bench.isCausal { keys = 0..<rows.upperBound }
            mask.alignment = .bottomRight
        }
        func cut(_ tensor: Tensor, _ head: Int, _ rows: Range<Int>) throws -> Tensor {
            try tensor.sliced(axis: 0, entry..<entry + 1).sliced(axis: 1, head..<head + 1).sliced(axis: 2, rows)
        }
        return (
            AttentionInputs(
                query: try cut(inputs.query, head, rows), key: try cut(inputs.key, keyHead, keys),
                value: try cut(inputs.value, keyHead, keys), mask: mask),
            try cut(output, head, rows)
        )
    }

    private static func findings(_ inputs: AttentionInputs, _ output: Tensor) throws -> [CaseFinding] {
        let check = try ReferenceCheck(try AttentionProblem(inputs), inputs)
        return try check.findings(AttentionOutputs(output: output), isStandardNormal: true).map { CaseFinding($0) }
    }
}
