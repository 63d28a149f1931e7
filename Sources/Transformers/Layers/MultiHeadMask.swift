public import Attention

/// Which keys the queries of a ``MultiHeadAttention`` may attend.
///
/// Tensors have the polarity of nn.MultiheadAttention: a boolean that is true *masks*. (`AttentionMask`, which plain
/// attention takes, has it the other way round, as ONNX does.)
public struct MultiHeadMask: Sendable {
    /// `[batch, keys]`: booleans, true for padding; or numbers that are added to the scores.
    public var keyPadding: Tensor?
    /// `[queries, keys]`, `[batch · heads, queries, keys]` or `[batch or 1, heads or 1, queries, keys]`: booleans, true for
    /// pairs that are masked; or numbers that are added to the scores.
    public var attention: Tensor?
    /// Whether query `i` sees the keys up to `i` only.
    public var isCausal = false
    /// How many keys of each batch entry are real; the rest is padding.
    public var keyLengths: [Int]?
    /// Where each sequence begins among packed rows, and their number at the end: from 0, ascending. The batch is 1 then.
    public var queryOffsets: [Int]?
    /// Likewise for the keys; `nil` is as the queries.
    public var keyOffsets: [Int]?

    public init(
        keyPadding: Tensor? = nil, attention: Tensor? = nil, isCausal: Bool = false, keyLengths: [Int]? = nil
    ) {
        self.keyPadding = keyPadding
        self.attention = attention
        self.isCausal = isCausal
        self.keyLengths = keyLengths
    }

    public static var none: MultiHeadMask { MultiHeadMask() }
    public static var causal: MultiHeadMask { MultiHeadMask(isCausal: true) }

    /// Sequences whose rows lie one after the other, without padding.
    public static func packed(
        queries: [Int], keys: [Int]? = nil, isCausal: Bool = false
    ) -> MultiHeadMask {
        var mask = MultiHeadMask(isCausal: isCausal)
        mask.queryOffsets = queries
        mask.keyOffsets = keys ?? queries
        return mask
    }
}

/// A mask as attention takes it, made once for all layers that share it.
struct KeySelection: Sendable {
    var mask = AttentionMask.none
    var keyLengths: [Int]?
    var queryOffsets: [Int]?
    var keyOffsets: [Int]?

    func apply(to inputs: inout AttentionInputs) {
        inputs.mask = mask
        inputs.keyLengths = keyLengths
        inputs.cumulativeQueryOffsets = queryOffsets
        inputs.cumulativeKeyOffsets = keyOffsets
    }
}

/// The sizes that a mask is for.
struct MaskSizes {
    let batch: Int
    let heads: Int
    let queries: Int
    let keys: Int
    /// Keys after the caller's which every query attends: a learned one, and one of zeros.
    var added = 0
}

extension MultiHeadMask {
    /// - Throws: `AttentionError.invalid` for shapes or types that do not fit.
    func selection(_ sizes: MaskSizes, _ device: Device) throws(AttentionError) -> KeySelection {
        var selection = KeySelection()
        (selection.queryOffsets, selection.keyOffsets) = (queryOffsets, keyOffsets ?? queryOffsets)
        if queryOffsets != nil {
            guard keyPadding == nil, attention == nil, keyLengths == nil, sizes.added == 0 else {
                throw .invalid(
                    "mask", .combination, expected: "packed sequences without padding, mask tensors or added keys",
                    found: "both")
            }
            if isCausal { selection.mask = .causal }
            return selection
        }
        let padding = try checkedPadding(sizes)
        try checkAttention(sizes)
        if attention == nil, sizes.added == 0 {
            if padding == nil {
                if isCausal { selection.mask = .causal }
                return selection
            }
            // Lengths would move the positions of a causal mask.
            if !isCausal, let lengths = padding?.lengths {
                selection.keyLengths = lengths
                return selection
            }
        } else if attention == nil, padding == nil, !isCausal {
            return selection
        }
        selection.mask = .tensor(try device.parameter(try merged(padding, sizes)))
        return selection
    }

    /// Padding as one number for each key of each batch entry: what is added to the score, −∞ for a key that is masked.
    private struct Padding {
        let added: [Double]
        let isBoolean: Bool
        /// How many keys of each batch entry are real, if those come first.
        let lengths: [Int]?
    }

    private func checkedPadding(_ sizes: MaskSizes) throws(AttentionError) -> Padding? {
        let (batch, keys) = (sizes.batch, sizes.keys)
        var added: [Double]?
        var isBoolean = true
        if let keyPadding {
            guard keyPadding.shape == [batch, keys] else {
                throw .invalid("keyPadding", .shape, expected: "[\(batch), \(keys)]", found: "\(keyPadding.shape)")
            }
            (added, isBoolean) = try Self.values(keyPadding, "keyPadding")
        }
        if let keyLengths {
            guard keyLengths.count == batch else {
                throw .invalid("keyLengths", .count, expected: "\(batch)", found: "\(keyLengths.count)")
            }
            if let wrong = keyLengths.first(where: { $0 < 0 || $0 > keys }) {
                throw .invalid("keyLengths", .bounds, expected: "0…\(keys)", found: "\(wrong)")
            }
            var values = added ?? []
            if added == nil { values = try Self.zeros([batch, keys], "keyLengths") }
            for (entry, length) in keyLengths.enumerated() {
                for key in length..<keys { values[entry * keys + key] = -.infinity }
            }
            added = values
        }
        guard let added else { return nil }
        return Padding(added: added, isBoolean: isBoolean, lengths: isBoolean ? Self.lengths(added, batch, keys) : nil)
    }

    private func checkAttention(_ sizes: MaskSizes) throws(AttentionError) {
        guard let attention else { return }
        let (shape, batch, heads) = (attention.shape, sizes.batch, sizes.heads)
        let each = try TensorLayout.product([batch, heads], operand: "attention")
        let fits =
            switch shape.count {
            case 2: true
            case 3: shape[0] == each
            case 4: [1, batch].contains(shape[0]) && [1, heads].contains(shape[1])
            default: false
            }
        guard fits, Array(shape.suffix(2)) == [sizes.queries, sizes.keys] else {
            throw .invalid(
                "attention", .shape,
                expected:
                    "[\(sizes.queries), \(sizes.keys)], alone or after [\(each)] or [\(batch), \(heads)]",
                found: "\(shape)")
        }
    }

    /// All parts in one tensor `[batch or 1, heads or 1, queries or 1, keys and added ones]`.
    private func merged(_ padding: Padding?, _ sizes: MaskSizes) throws(AttentionError) -> Tensor {
        let (keys, width) = (sizes.keys, sizes.keys + sizes.added)
        var (mask, isMaskBoolean): ([Double], Bool) = ([], true)
        var (maskBatch, maskHeads) = (1, 1)
        if let attention {
            (mask, isMaskBoolean) = try Self.values(attention, "attention")
            if attention.rank == 3 { (maskBatch, maskHeads) = (sizes.batch, sizes.heads) }
            if attention.rank == 4 { (maskBatch, maskHeads) = (attention.shape[0], attention.shape[1]) }
        }
        let batch = padding == nil ? maskBatch : sizes.batch
        let rows = attention == nil && !isCausal ? 1 : sizes.queries
        let shape = [batch, maskHeads, rows, width]
        var values = try Self.zeros(shape, "mask")
        for entry in 0..<batch {
            for head in 0..<maskHeads {
                for row in 0..<rows {
                    let start = ((entry * maskHeads + head) * rows + row) * width
                    let maskRow = (((maskBatch == 1 ? 0 : entry) * maskHeads + head) * rows + row) * keys
                    for key in 0..<keys {
                        var value = padding?.added[entry * keys + key] ?? 0
                        if attention != nil { value += mask[maskRow + key] }
                        if isCausal && key > row { value = -.infinity }
                        values[start + key] = value
                    }
                }
            }
        }
        if isMaskBoolean, padding?.isBoolean ?? true { return try Tensor(values.map { $0 == 0 }, shape: shape) }
        return try Tensor(values, shape: shape, elementType: .float32)
    }

    private static func zeros(_ shape: [Int], _ operand: String) throws(AttentionError) -> [Double] {
        try Array(filled: 0, try TensorLayout.product(shape, operand: operand), operand)
    }

    /// What a tensor adds to scores, and whether it is one of booleans.
    private static func values(_ tensor: Tensor, _ name: String) throws(AttentionError) -> ([Double], Bool) {
        if tensor.elementType == .bool { return (try tensor.doubles().map { $0 == 0 ? 0 : -.infinity }, true) }
        guard tensor.elementType.isFloatingPoint else {
            throw .invalid(name, .elementType, expected: "bool or a float type", found: "\(tensor.elementType)")
        }
        return (try tensor.doubles(), false)
    }

    private static func lengths(_ added: [Double], _ batch: Int, _ keys: Int) -> [Int]? {
        var lengths: [Int] = []
        for entry in 0..<batch {
            let row = added[entry * keys..<(entry + 1) * keys]
            let length = row.firstIndex { $0 != 0 }.map { $0 - row.startIndex } ?? keys
            if row.dropFirst(length).contains(where: { $0 == 0 }) { return nil }
            lengths.append(length)
        }
        return lengths
    }
}
