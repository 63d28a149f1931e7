import AttentionCore

/// The operands of a call as `Double`, gathered once from whatever strides, types and devices they come in.
///
/// `@unchecked Sendable`: nothing is written after `init`, and `maskHost` keeps the memory behind `maskBase`.
final class ReferenceOperands: @unchecked Sendable {
    /// `[batch, queryHeads, queryLength, headDimension]`
    let query: [Double]
    /// `[batch, keyValueHeads, headDimension, keyLength]`: keys run along the last axis, so that one query element meets all keys
    /// in one loop.
    let keyTransposed: [Double]
    /// `[batch, keyValueHeads, keyLength, valueDimension]`
    let value: [Double]
    private let maskHost: Tensor?
    private let maskBase: UnsafeRawPointer?

    init(_ problem: AttentionProblem, _ inputs: AttentionInputs) throws(AttentionError) {
        let shape = problem.shape
        query = try Self.view(
            inputs.query, problem.query,
            [
                shape.batch, shape.queryHeads, shape.queryLength, shape.headDimension,
            ]
        ).doubles()
        let lead = [shape.batch, shape.keyValueHeads]
        let fresh = shape.keyLength - problem.pastLength
        let key = try Self.view(inputs.key, problem.key, lead + [fresh, shape.headDimension])
        keyTransposed = Self.joined(
            try inputs.pastKey?.permuted([0, 1, 3, 2]).doubles() ?? [], problem.pastLength,
            try key.permuted([0, 1, 3, 2]).doubles(), fresh,
            count: shape.batch * shape.keyValueHeads * shape.headDimension)
        let value = try Self.view(inputs.value, problem.value, lead + [fresh, shape.valueDimension])
        self.value = Self.joined(
            try inputs.pastValue?.doubles() ?? [], problem.pastLength * shape.valueDimension,
            try value.doubles(), fresh * shape.valueDimension, count: shape.batch * shape.keyValueHeads)
        maskHost = try inputs.mask.tensor?.onHost()
        maskBase = UnsafeRawPointer(maskHost?.storage.hostBytes?.baseAddress)
        maskOffset = (maskHost?.layout.offset ?? 0) - (inputs.mask.tensor?.layout.offset ?? 0)
    }

    /// A tensor brought to host memory may begin at another offset than the one `problem.mask` speaks of.
    private let maskOffset: Int

    /// The mask's entry for one pair, by the mask's own rows and columns. Booleans read as 0 or 1.
    func mask(_ view: HeadView, _ type: ElementType, _ batch: Int, _ head: Int, _ row: Int, _ column: Int) -> Double {
        guard let maskBase else { return 0 }
        return type.load(maskBase, view.index(batch, head, row, column) + maskOffset)
    }

    /// `tensor`, of rank 3 or 4, seen as `[batch, head, row, column]`.
    static func view(_ tensor: Tensor, _ view: HeadView, _ shape: [Int]) throws(AttentionError) -> Tensor {
        try tensor.viewed(
            shape: shape, strides: [view.batch, view.head, view.row, view.column], offset: view.offset)
    }

    /// `count` runs, each a piece of `first` followed by a piece of `second`.
    private static func joined(
        _ first: [Double], _ firstLength: Int, _ second: [Double], _ secondLength: Int, count: Int
    ) -> [Double] {
        guard firstLength > 0 else { return second }
        var all: [Double] = []
        all.reserveCapacity(first.count + second.count)
        for run in 0..<count {
            all += first[run * firstLength..<(run + 1) * firstLength]
            all += second[run * secondLength..<(run + 1) * secondLength]
        }
        return all
    }
}
