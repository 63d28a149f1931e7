import AttentionCore

/// Where an operand of a case lies: the tensor's layout, and the same elements as `[batch, head, row, column]`.
struct OperandPlacement {
    /// Which operand: layouts treat queries, keys and values apart.
    enum Role: Int { case query, key, value, past }

    let layout: TensorLayout
    let view: HeadView
    /// Elements of storage, some beyond the last one included.
    let capacity: Int

    /// Elements behind the last one that hold NaN and belong to nobody.
    static let tail = 16

    init(_ kind: CaseSpec.Layout, _ role: Role, shape: [Int]) throws(AttentionError) {
        let (b, h, l, d) = (shape[0], shape[1], shape[2], shape[3])
        func order(_ axes: [Int]) throws(AttentionError) -> TensorLayout {
            try TensorLayout(shape: shape, memoryOrder: axes)
        }
        switch kind {
        case .rank3 where role != .past:
            layout = try TensorLayout(contiguous: [b, l, h * d])
            view = HeadView(offset: 0, batch: l * h * d, head: d, row: h * d, column: 1)
            capacity = layout.extent.upperBound + Self.tail
            return
        case .bhld, .rank3, .slice: layout = try order([0, 1, 2, 3])
        case .blhd: layout = try order([0, 2, 1, 3])
        case .transposed: layout = try order([0, 1, 3, 2])
        case .negative:
            layout = try TensorLayout(shape: shape, strides: [h * l * d, l * d, -d, 1], offset: max(l - 1, 0) * d)
        case .broadcast:
            layout = try TensorLayout(shape: shape, strides: [role == .query ? h * l * d : 0, l * d, d, 1])
        case .gapped:
            let (row, gap) = (d + 3, 5)
            layout = try TensorLayout(shape: shape, strides: [h * (l * row + gap), l * row + gap, row, 1], offset: 13)
        case .mixed:
            let kinds: [CaseSpec.Layout] = [.blhd, .negative, .transposed, .gapped]
            self = try OperandPlacement(kinds[role.rawValue], role, shape: shape)
            return
        }
        view = Self.view(layout)
        capacity = layout.extent.upperBound + Self.tail
    }

    /// Columns `first..<first + d` of each head, in a tensor `[b, tokens, columns]`.
    init(sliceOf columns: Int, tokens: Int, first: Int, shape: [Int]) throws(AttentionError) {
        layout = try TensorLayout(shape: shape, strides: [tokens * columns, shape[3], columns, 1], offset: first)
        view = Self.view(layout)
        capacity = shape[0] * tokens * columns + Self.tail
    }

    private static func view(_ layout: TensorLayout) -> HeadView {
        let s = layout.strides
        return HeadView(offset: layout.offset, batch: s[0], head: s[1], row: s[2], column: s[3])
    }
}

/// Writing elements of host tensors one by one.
extension HostStorage {
    /// All bytes 0xFF: NaN in every float type, true, −1.
    func fillWithNaN() {
        guard let bytes = hostBytes else { return }
        for index in bytes.indices { bytes[index] = 0xFF }
    }

    func store(_ value: Double, _ type: ElementType, at index: Int) {
        guard let base = hostBytes?.baseAddress else { return }
        type.store(value, base, index)
    }
}
