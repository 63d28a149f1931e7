import AttentionCore
import Foundation

/// Attention as SEMANTICS defines it: for query `i` and key `j`,
///
///     s = scale · q·k            softcap: s ← c·tanh(s/c)       s ← s + mask − slope·|j − p|
///     p = exp(s − m) / (Σ exp(s − m) + exp(sink − m))           output = Σ p·v        logSumExp = m + ln Σ
///
/// over the keys that are not excluded, in `Double`, one row after the other. Cost: `O(Lq · Lk · (D + Dv))` a head.
/// Source: Vaswani et al. 2017, arXiv 1706.03762.
public enum Reference {
    /// Computes `problem` on the operands as they are stored.
    ///
    /// - Parameter check: called between rows; what it throws ends the work.
    public static func evaluate(
        _ problem: AttentionProblem, _ inputs: AttentionInputs,
        check: () throws(AttentionError) -> Void = { () throws(AttentionError) in }
    ) throws(AttentionError) -> ReferenceResult {
        let operands = try ReferenceOperands(problem, inputs)
        let shape = problem.shape
        let rows = shape.batch * shape.queryHeads * shape.queryLength
        var result = ReferenceResult(
            output: Array(repeating: 0, count: rows * shape.valueDimension),
            logSumExp: Array(repeating: -.infinity, count: rows), scores: [], scoreBounds: [],
            bounds: Array(repeating: OutputBound(), count: rows * shape.valueDimension),
            rows: Array(repeating: RowFacts(), count: rows))
        if let scores = problem.scores {
            let fill = scores == .masked ? -Double.infinity : 0
            result.scores = Array(repeating: fill, count: rows * shape.keyLength)
            result.scoreBounds = Array(repeating: ScoreBound(), count: rows * shape.keyLength)
        }
        for segment in problem.segments {
            for head in 0..<shape.queryHeads {
                let work = ReferenceHead(problem, operands, segment, head)
                for i in 0..<segment.queryCount {
                    try check()
                    work.computeRow(i, &result)
                }
            }
        }
        return result
    }
}

/// The operands as `Double`, in row-major order.
struct ReferenceOperands {
    let query: [Double]
    /// Past and new ones.
    let key: [Double]
    let value: [Double]
    /// What the mask adds, or 0 and −∞ for a boolean one; empty without a mask.
    let mask: [Double]
    /// Strides of ``mask``, 0 where it is broadcast.
    let maskView: HeadView

    init(_ problem: AttentionProblem, _ inputs: AttentionInputs) throws(AttentionError) {
        let shape = problem.shape
        query = try Self.read(
            inputs.query, problem.query, [shape.batch, shape.queryHeads, shape.queryLength, shape.headDimension])
        let fresh = shape.keyLength - problem.pastLength
        let heads = [shape.batch, shape.keyValueHeads]
        key = try Self.joined(
            inputs.pastKey, try Self.read(inputs.key, problem.key, heads + [fresh, shape.headDimension]),
            problem, fresh, shape.headDimension)
        value = try Self.joined(
            inputs.pastValue, try Self.read(inputs.value, problem.value, heads + [fresh, shape.valueDimension]),
            problem, fresh, shape.valueDimension)
        guard let tensor = inputs.mask.tensor else {
            mask = []
            maskView = HeadView(offset: 0, batch: 0, head: 0, row: 0, column: 0)
            return
        }
        let values = try tensor.doubles()
        mask = tensor.elementType == .bool ? values.map { $0 == 0 ? -.infinity : 0 } : values
        maskView = Self.broadcastView(tensor.shape)
    }

    /// Strides of a row-major array of `shape`, seen as the score's four dimensions.
    private static func broadcastView(_ shape: [Int]) -> HeadView {
        var strides = [0, 0, 0, 0]
        var step = 1
        for (place, size) in zip((0..<4).reversed(), shape.reversed()) {
            strides[place] = size == 1 ? 0 : step
            step *= size
        }
        return HeadView(offset: 0, batch: strides[0], head: strides[1], row: strides[2], column: strides[3])
    }

    /// The elements that `view` shows, as `[batch, head, row, column]` of `sizes`.
    private static func read(
        _ tensor: Tensor, _ view: HeadView, _ sizes: [Int]
    ) throws(AttentionError) -> [Double] {
        let layout = try TensorLayout(
            shape: sizes, strides: [view.batch, view.head, view.row, view.column], offset: view.offset)
        return try Tensor(storage: tensor.storage, layout: layout, elementType: tensor.elementType).doubles()
    }

    private static func joined(
        _ past: Tensor?, _ fresh: [Double], _ problem: AttentionProblem, _ freshRows: Int, _ columns: Int
    ) throws(AttentionError) -> [Double] {
        guard let past else { return fresh }
        let old = try past.doubles()
        let (oldSize, freshSize) = (problem.pastLength * columns, freshRows * columns)
        var joined: [Double] = []
        joined.reserveCapacity(old.count + fresh.count)
        for head in 0..<problem.shape.batch * problem.shape.keyValueHeads {
            joined += old[head * oldSize..<(head + 1) * oldSize]
            joined += fresh[head * freshSize..<(head + 1) * freshSize]
        }
        return joined
    }
}
