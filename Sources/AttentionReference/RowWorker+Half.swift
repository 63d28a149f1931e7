import AttentionCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// e^x of a slack. Beyond 300 a bound says nothing, and is still a number.
func exponential(_ x: Double) -> Double { exp(min(max(x, -300), 300)) }

extension RowWorker {
    /// δ of one key whose score is still q·k. False if half precision has no room for it; true where there are no halves.
    func findSlack(_ segment: Segment, _ h: Int, row: Int, _ j: Int) -> Bool {
        guard let half else { return true }
        let head = segment.batch * problem.shape.keyValueHeads + problem.keyValueHead(h)
        let key = head * problem.shape.keyLength + segment.keyStart + j
        let size = term[j] * abs(problem.scale)
        slack[j] = half.slack(size, row: row, key: key, depth: problem.shape.headDimension)
        return half.holds(size, row: row, key: key)
    }

    /// The sums over a row's keys that have weights already.
    func halfRow(_ keys: Range<Int>, _ facts: inout ReferenceRow) -> HalfRow? {
        guard facts.attended > 0 else { return nil }
        let row = HalfRow(keys, isAttended) { (weight[$0], slack[$0]) }
        facts.logSumExpSlack = log(row.most)
        return row
    }

    /// What products in half may add to the error of each column.
    func halfBounds(_ value: UnsafePointer<Double>, _ target: Int, _ keys: Range<Int>, _ row: HalfRow) {
        let columns = problem.shape.valueDimension
        let allowances = results.halfAllowance.baseAddress.map { $0 + target }
        guard let allowances else { return }
        var moved = 0.0
        let tiny = HalfFacts.smallestNormal * row.largestShare
        for j in keys where isAttended[j] && weight[j] > 0 {
            let most = weight[j] * exponential(slack[j]) / row.least
            let change = weight[j] * (exponential(slack[j]) - 1) / row.least
            moved += change
            let factor = change + HalfFacts.roundings * HalfFacts.u * most + min(tiny, most)
            for d in 0..<columns {
                let size = abs(value[j * columns + d])
                allowances[d] += factor * size + HalfFacts.smallestNormal * most + 2 * min(tiny, most * size)
            }
        }
        for d in 0..<columns { allowances[d] += moved * abs(results.output[target + d]) }
    }
}
