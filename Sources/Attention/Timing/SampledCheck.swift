import AttentionCore

/// Holds results of one call to the reference before they are timed: all of it, or rows of some heads where that would take minutes.
///
/// The reference is computed once, for any number of results.
package struct SampledCheck: Sendable {
    /// What is looked at.
    package let coverage: String

    /// Some rows of one head, as a call of their own.
    private struct Part: Sendable {
        let check: ReferenceCheck
        /// `nil` is everything.
        let place: Place?
    }

    private struct Place: Sendable {
        let entry: Int
        let head: Int
        let rows: Range<Int>
    }

    /// The most products of a query and a key that are computed in `Double`.
    private static let budget = 300_000_000

    private let parts: [Part]

    /// - Parameters:
    ///   - inputs: On the host, with standard normal elements and no mask but causality and a window.
    ///   - precision: What the results were asked for.
    package init(_ inputs: AttentionInputs, precision: Precision = .standard) throws(AttentionError) {
        let problem = try AttentionProblem(inputs)
        let s = problem.shape
        let whole = s.batch * s.queryHeads * s.queryLength * s.keyLength * (s.headDimension + s.valueDimension)
        guard whole > Self.budget else {
            parts = [Part(check: try ReferenceCheck(problem, inputs, precision: precision), place: nil)]
            coverage = "everything"
            return
        }
        // The first and the last rows of the first and the last head of the first and the last batch entry.
        let entries = Set([0, s.batch - 1]).sorted()
        let heads = Set([0, s.queryHeads - 1]).sorted()
        let cost = entries.count * heads.count * 2 * s.keyLength * (s.headDimension + s.valueDimension)
        let rows = min(s.queryLength, max(4, Self.budget / cost))
        // Rows that are not the first keep their place among the keys only where `part` can give it to them.
        let mask = inputs.mask
        let hasWindow = mask.windowLeft != nil || mask.windowRight != nil
        let canMove = mask.isCausal ? s.queryLength <= s.keyLength : !hasWindow || s.queryLength == s.keyLength
        let last = s.queryLength - rows
        let starts = mask.alignment == .bottomRight ? [last] : canMove ? Set([0, last]).sorted() : [0]
        var parts: [Part] = []
        for entry in entries {
            for head in heads {
                for start in starts {
                    let place = Place(entry: entry, head: head, rows: start..<start + rows)
                    let inputs = try Self.part(inputs, s, place)
                    let problem = try AttentionProblem(inputs)
                    let check = try ReferenceCheck(problem, inputs, precision: precision)
                    parts.append(Part(check: check, place: place))
                }
            }
        }
        self.parts = parts
        coverage = "\(starts.count) × \(rows) rows of \(entries.count * heads.count) heads"
    }

    /// The gates that `output`, on the host, does not hold; empty if it is right.
    package func findings(_ output: Tensor) throws(AttentionError) -> [ReferenceCheck.Finding] {
        var findings: [ReferenceCheck.Finding] = []
        for part in parts {
            var result = output
            if let place = part.place { result = try Self.cut(output, place.entry, place.head, place.rows) }
            findings += try part.check.findings(AttentionOutputs(output: result), isStandardNormal: true)
        }
        return findings
    }

    /// Aligning rows with the last key puts each where it stood: under a causal mask once the keys after them are left out, with a
    /// window alone if they are the last of as many rows as keys.
    private static func part(
        _ inputs: AttentionInputs, _ s: AttentionShape, _ place: Place
    ) throws(AttentionError) -> AttentionInputs {
        let keyHead = place.head * s.keyValueHeads / s.queryHeads
        var keys = 0..<s.keyLength
        var mask = inputs.mask
        if mask.alignment == .topLeft, place.rows.lowerBound > 0,
            mask.isCausal || mask.windowLeft != nil || mask.windowRight != nil
        {
            if mask.isCausal { keys = 0..<place.rows.upperBound }
            mask.alignment = .bottomRight
        }
        return AttentionInputs(
            query: try cut(inputs.query, place.entry, place.head, place.rows),
            key: try cut(inputs.key, place.entry, keyHead, keys),
            value: try cut(inputs.value, place.entry, keyHead, keys), mask: mask)
    }

    private static func cut(
        _ tensor: Tensor, _ entry: Int, _ head: Int, _ rows: Range<Int>
    ) throws(AttentionError) -> Tensor {
        try tensor.sliced(axis: 0, entry..<entry + 1).sliced(axis: 1, head..<head + 1).sliced(axis: 2, rows)
    }
}
