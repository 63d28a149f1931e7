/// Cuts a call into pieces whose operands and results each fit into one allocation, and all of a piece into the memory there is.
struct PieceCutter {
    enum Pieces {
        /// Those with the same results, which differ in their keys alone, one after another.
        case pieces([ProblemPart])
        /// Why the call cannot be made small enough.
        case refused(String)
    }

    /// Rows and keys are cut at multiples of these where there are as many, as kernels read them in tiles and chunks.
    private static let (rowStep, keyStep) = (64, 256)

    let problem: AttentionProblem
    let limit: MemoryLimit

    func pieces() -> Pieces {
        var waiting = [ProblemPart(problem.shape)]
        var pieces: [ProblemPart] = []
        while let part = waiting.popLast() {
            if fits(part) {
                pieces.append(part)
                continue
            }
            guard let (first, second) = halves(part) else { return .refused(refusal(part)) }
            waiting += [second, first]
        }
        return .pieces(pieces)
    }

    /// What does not fit into one allocation, or is most of what does not fit into memory.
    func tooLarge(_ part: ProblemPart) -> (name: String, bytes: Int)? {
        let sizes = sizes(part)
        guard let largest = sizes.max(by: { $0.bytes < $1.bytes }) else { return nil }
        let total = sizes.reduce(0) { $0 + $1.bytes }
        return largest.bytes > limit.allocation || total > limit.total ? (largest.name, largest.bytes) : nil
    }

    private func fits(_ part: ProblemPart) -> Bool { tooLarge(part) == nil }

    private func refusal(_ part: ProblemPart) -> String {
        let found = tooLarge(part).map { "\($0.name) of \($0.bytes) bytes" } ?? "it"
        return "pieces: \(found) cannot be cut any further\(CutUnits.keyRefusal(problem).map { ": \($0)" } ?? "")"
    }

    /// Rows are cut to their end before keys are, so that the ranges of keys of the same rows follow one another.
    private func halves(_ part: ProblemPart) -> (ProblemPart, ProblemPart)? {
        if part.batch.count > 1 { return Self.halves(part, \.batch, 1) }
        if part.keyValueHeads.count > 1 { return Self.halves(part, \.keyValueHeads, 1) }
        let canCutKeys = part.keys.count > 1 && CutUnits.keyRefusal(problem) == nil
        let canCutRows = part.rows.count > 1 && !problem.isPartial(part)
        if canCutRows, !canCutKeys || hasManyRows(part) { return Self.halves(part, \.rows, Self.rowStep) }
        return canCutKeys ? Self.halves(part, \.keys, Self.keyStep) : nil
    }

    /// True if what belongs to the queries is too large by itself, whatever becomes of the keys.
    private func hasManyRows(_ part: ProblemPart) -> Bool {
        let ofKeys = sizes(part, isPartial: false).filter(\.isOfKeys)
        let cutsKeys =
            ofKeys.contains { $0.bytes > limit.allocation }
            || ofKeys.reduce(0) { $0 + $1.bytes } > limit.total / 2
        let ofQueries = sizes(part, isPartial: cutsKeys).filter { !$0.isOfKeys }
        return ofQueries.contains { $0.bytes > limit.allocation }
            || ofQueries.reduce(0) { $0 + $1.bytes } > limit.total / 2
    }

    private static func halves(
        _ part: ProblemPart, _ axis: WritableKeyPath<ProblemPart, Range<Int>>, _ step: Int
    ) -> (ProblemPart, ProblemPart) {
        let range = part[keyPath: axis]
        var half = (range.count + 1) / 2
        if range.count > step { half = (half + step - 1) / step * step }
        var (first, second) = (part, part)
        first[keyPath: axis] = range.lowerBound..<range.lowerBound + half
        second[keyPath: axis] = range.lowerBound + half..<range.upperBound
        return (first, second)
    }

    /// The bytes that a part reads and writes, as it is laid out for itself.
    private func sizes(_ part: ProblemPart) -> [(name: String, bytes: Int, isOfKeys: Bool)] {
        sizes(part, isPartial: problem.isPartial(part))
    }

    private func sizes(_ part: ProblemPart, isPartial: Bool) -> [(name: String, bytes: Int, isOfKeys: Bool)] {
        let s = problem.shape
        let heads = problem.queryHeads(part).count
        let (b, kv, r, n) = (part.batch.count, part.keyValueHeads.count, part.rows.count, part.keys.count)
        let size = isPartial ? max(problem.queryType.byteCount, 4) : problem.queryType.byteCount
        let rows = b &* heads &* r
        var sizes = [
            ("query", rows &* s.headDimension &* size, false), ("output", rows &* s.valueDimension &* size, false),
            ("key", b &* kv &* n &* s.headDimension &* size, true),
            ("value", b &* kv &* n &* s.valueDimension &* problem.valueType.byteCount, true),
        ]
        if problem.wantsLogSumExp || isPartial { sizes.append(("logSumExp", rows &* 4, false)) }
        if problem.scores != nil { sizes.append(("scores", rows &* n &* size, false)) }
        if let view = problem.mask, let type = problem.maskType {
            let broadcast = (view.batch == 0 ? 1 : b) &* (view.head == 0 ? 1 : heads) &* (view.row == 0 ? 1 : r)
            let columns = view.column == 0 ? 1 : min(max(problem.maskKeys - part.keys.lowerBound, 0), n)
            sizes.append(("mask", broadcast &* columns &* type.byteCount, view.row == 0))
        }
        return sizes
    }
}
