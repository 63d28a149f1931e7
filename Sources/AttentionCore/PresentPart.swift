/// A part of a present tensor, and the operand whose elements it must hold bit for bit.
public struct PresentPart: Sendable {
    /// `presentKey` or `presentValue`.
    public var name: String
    /// Where the rows go.
    public var present: Tensor
    /// What they are copied from.
    public var source: Tensor

    /// The past rows and the new ones of the present tensors that a call has.
    public static func all(
        _ problem: AttentionProblem, _ inputs: AttentionInputs, _ outputs: AttentionOutputs
    ) throws(AttentionError) -> [PresentPart] {
        guard problem.hasPast else { return [] }
        let s = problem.shape
        let fresh = [s.batch, s.keyValueHeads, s.keyLength - problem.pastLength]
        var all: [PresentPart] = []
        func add(_ name: String, _ present: Tensor?, _ past: Tensor?, _ new: Tensor) throws(AttentionError) {
            guard let present, let past else { return }
            let first = try present.sliced(axis: 2, 0..<problem.pastLength)
            let second = try present.sliced(axis: 2, problem.pastLength..<s.keyLength)
            all.append(PresentPart(name: name, present: first, source: past))
            all.append(PresentPart(name: name, present: second, source: new))
        }
        try add(
            "presentKey", outputs.presentKey, inputs.pastKey,
            try inputs.key.viewed(problem.key, fresh + [s.headDimension]))
        try add(
            "presentValue", outputs.presentValue, inputs.pastValue,
            try inputs.value.viewed(problem.value, fresh + [s.valueDimension]))
        return all
    }
}

extension Tensor {
    /// This tensor, of rank 3 or 4, seen as `[batch, head, row, column]`.
    fileprivate func viewed(_ view: HeadView, _ shape: [Int]) throws(AttentionError) -> Tensor {
        try viewed(shape: shape, strides: [view.batch, view.head, view.row, view.column], offset: view.offset)
    }
}
