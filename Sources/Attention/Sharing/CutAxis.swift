import Foundation

/// Along what a call is cut into the shares of several devices.
///
/// The first three change no number: a row's result is what the device that computes it gives alone. Ranges of keys are joined by
/// their `logSumExp`, which rounds otherwise.
enum CutAxis: String, Hashable, Sendable, CaseIterable {
    case heads, batch, rows, keys

    /// How a group cuts its calls.
    enum Rule: Hashable, Sendable {
        /// Along what gives the best shares, if cutting gains time at all.
        case best
        /// Along this axis wherever it can be, into equal shares as small as need be: for tests.
        case forced(CutAxis)
    }

    /// Forces an axis by its name: for tests.
    static let variable = "ATTEND_CUT"

    /// What ``variable`` asks for.
    static var environmentRule: Rule {
        ProcessInfo.processInfo.environment[variable].flatMap(CutAxis.init).map { .forced($0) } ?? .best
    }
}

/// Pieces of a call along one axis that are not cut further, in order.
struct CutUnits {
    /// A row of a kernel's tile is worth no share of its own, and calls of very few rows get other kernels.
    private static let fewestRows = 64
    /// Chunks of keys are what kernels merge.
    private static let fewestKeys = 256

    let axis: CutAxis
    /// Where the pieces begin, and the end.
    let bounds: [Int]
    /// What each takes: multiply-adds, and one for its existence.
    let work: [Double]

    /// - Returns: The pieces, or why `problem` is not cut there.
    static func along(
        _ axis: CutAxis, _ problem: AttentionProblem, isFine: Bool
    ) -> Result<CutUnits, Refusal> {
        let shape = problem.shape
        func refused(_ reason: String) -> Result<CutUnits, Refusal> { .failure(Refusal(reason: "\(axis): \(reason)")) }
        let depth = Double(shape.headDimension + shape.valueDimension)
        switch axis {
        case .heads:
            guard shape.keyValueHeads > 1 else { return refused("there is one key head") }
            let each = Double(problem.attendedPairs) / Double(shape.keyValueHeads) * depth + 1
            return .success(units(axis, shape.keyValueHeads, 1, Array(repeating: each, count: shape.keyValueHeads)))
        case .batch:
            guard !problem.isPacked else { return refused("packed sequences are one batch entry") }
            guard shape.batch > 1 else { return refused("there is one batch entry") }
            var work = [Double](repeating: 1, count: shape.batch)
            for segment in problem.segments {
                work[segment.batch] += Double(pairs(problem, segment)) * Double(shape.queryHeads) * depth
            }
            return .success(units(axis, shape.batch, 1, work))
        case .rows:
            let step = isFine ? 1 : fewestRows
            guard shape.queryLength >= 2 * step else { return refused("\(shape.queryLength) queries are too few") }
            var work = [Double](repeating: 1, count: shape.queryLength)
            for segment in problem.segments {
                for row in 0..<segment.queryCount {
                    work[segment.queryStart + row] +=
                        Double(problem.keyRange(segment, row: row).count * shape.queryHeads) * depth
                }
            }
            return .success(units(axis, shape.queryLength, step, work))
        case .keys:
            if let reason = keyRefusal(problem) { return refused(reason) }
            let step = isFine ? 1 : fewestKeys
            guard shape.keyLength >= 2 * step else { return refused("\(shape.keyLength) keys are too few") }
            return .success(units(axis, shape.keyLength, step, keyWork(problem, depth * Double(shape.queryHeads))))
        }
    }

    /// Why the results of ranges of keys could not be joined; `nil` if they can.
    static func keyRefusal(_ problem: AttentionProblem) -> String? {
        if problem.scores != nil { return "the call asks for scores, which are about all keys" }
        if problem.queryType == .float64 { return "logSumExp has the precision of f32, and the output f64" }
        return nil
    }

    /// What each key costs over all rows that attend it.
    private static func keyWork(_ problem: AttentionProblem, _ perPair: Double) -> [Double] {
        var change = [Double](repeating: 0, count: problem.shape.keyLength + 1)
        for segment in problem.segments {
            for row in 0..<segment.queryCount {
                let range = problem.keyRange(segment, row: row)
                change[segment.keyStart + range.lowerBound] += perPair
                change[segment.keyStart + range.upperBound] -= perPair
            }
        }
        var sum = 0.0
        return change.dropLast().map { step in
            sum += step
            return sum + 1
        }
    }

    private static func pairs(_ problem: AttentionProblem, _ segment: Segment) -> Int {
        (0..<segment.queryCount).reduce(0) { $0 + problem.keyRange(segment, row: $1).count }
    }

    /// `work` of single rows put together, `step` at a time.
    private static func units(_ axis: CutAxis, _ count: Int, _ step: Int, _ work: [Double]) -> CutUnits {
        let starts = Array(stride(from: 0, to: count, by: step))
        let sums = starts.map { start in work[start..<min(start + step, count)].reduce(0, +) }
        return CutUnits(axis: axis, bounds: starts + [count], work: sums)
    }

    struct Refusal: Error {
        let reason: String
    }
}

extension ProblemPart {
    /// The part of a call that `range` along `axis` is.
    init(_ shape: AttentionShape, _ axis: CutAxis, _ range: Range<Int>) {
        self.init(shape)
        switch axis {
        case .heads: keyValueHeads = range
        case .batch: batch = range
        case .rows: rows = range
        case .keys: keys = range
        }
    }
}
