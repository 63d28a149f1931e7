import AttentionCore
import Dispatch

/// What attention is: plain loops in `Double`, on the inputs as stored.
///
/// For query `i` and key `j` of one head, with `p = i + offset` the query's position among the keys:
///
///     s = scale · (q_i · k_j)
///     s = softcap · tanh(s / softcap)                         with a softcap
///     s = s + mask_ij                                         with an additive mask
///     s = s − slope · |j − p|                                 with ALiBi
///     excluded: mask false or −∞, causal j > p, outside the window, j ≥ keyLength, another packed sequence
///     weight_j = exp(s_j − m) / (Σ exp(s − m) + exp(sink − m))    over the keys that are not excluded
///     output = Σ weight_j · v_j          logSumExp = m + ln(the same denominator)
///
/// Nothing here is tuned beyond copying the operands to `Double` once and sharing rows among processors.
///
/// Source: Vaswani et al. 2017, arXiv 1706.03762, §3.2.1; the order of operations and the edges are ONNX `Attention`, opset 25.
public enum Reference {
    /// The exact result of a call, with what is needed to bound the error of another implementation.
    ///
    /// - Parameters:
    ///   - problem: the checked call.
    ///   - inputs: the operands that `problem` was made from.
    ///   - control: looked at between rows.
    ///   - withBounds: also compute the sums that ``Contract`` needs. Without them the value loop does a quarter of the work.
    ///   - precision: what the other implementation was asked for: it decides the bounds, and the rows that have any, not the result.
    /// - Throws: ``AttentionError/cancelled``, ``AttentionError/outOfMemory(bytes:device:)``, or what a device throws when its memory
    ///   is downloaded.
    /// - Complexity: O(pairs · (D + Dv)) time; memory for the operands and results as `Double`, and `B·Hq·Lq·Lk` only if
    ///   scores are asked for.
    public static func evaluate(
        _ problem: AttentionProblem, _ inputs: AttentionInputs, control: RunControl? = nil, withBounds: Bool = true,
        precision: Precision = .standard
    ) throws(AttentionError) -> ReferenceResult {
        try control?.check()
        let results = try ResultBuffers(problem, withBounds: withBounds, precision)
        guard !problem.isEmpty else { return results.result(problem) }
        let (problem, inputs) = try AttentionInputs.withoutBlocks(problem, inputs)
        let operands = try ReferenceOperands(problem, inputs)
        let half = precision == .fast && withBounds ? HalfFacts(problem, operands) : nil
        let blocks = RowBlock.all(of: problem)

        @Sendable func work(_ index: Int) {
            let block = blocks[index]
            let worker = RowWorker(problem, operands, results, half)
            for row in block.rows {
                do { try control?.check() } catch { return }
                worker.evaluate(block.segment, head: block.head, row: row)
            }
        }
        // Below about a millisecond of work, waking other processors costs more than it saves.
        if problem.attendedPairs > (1 << 20) / (problem.shape.headDimension + problem.shape.valueDimension) {
            DispatchQueue.concurrentPerform(iterations: blocks.count, execute: work)
        } else {
            for index in blocks.indices { work(index) }
        }
        try control?.check()
        return results.result(problem)
    }
}

/// Rows of one head and segment that one processor computes in one go.
struct RowBlock: Sendable {
    let segment: Segment
    let head: Int
    let rows: Range<Int>

    /// Enough blocks to keep processors busy to the end, few enough that scratch memory is not allocated for every row.
    static func all(of problem: AttentionProblem) -> [RowBlock] {
        let rows = 32
        return problem.segments.flatMap { segment in
            (0..<problem.shape.queryHeads).flatMap { head in
                stride(from: 0, to: segment.queryCount, by: rows).map { first in
                    RowBlock(segment: segment, head: head, rows: first..<min(first + rows, segment.queryCount))
                }
            }
        }
    }
}
