/// Wrong kernels for few queries by work-groups; among them every barrier that could be missing.
extension KernelMutation {
    /// Without the barrier that follows `reason`, the comment above it.
    private static func unguarded(
        _ name: String, _ reason: String, indent: Int, in file: String = "decode_split.cl", _ hints: String...
    ) -> KernelMutation {
        let place = reason + "\n" + String(repeating: " ", count: indent) + "barrier(CLK_LOCAL_MEM_FENCE);"
        return KernelMutation(
            name: "split: no barrier " + name, file: file, find: place, replace: reason, hints: hints)
    }

    static let split: [KernelMutation] = [
        unguarded("in a reduction", "// The numbers of this round are there.", indent: 8, in: "reduce.clh", "size:"),
        unguarded("after a reduction", "// All read the result.", indent: 4, in: "reduce.clh", "size:"),
        unguarded(
            "before more depths", "// The depths before these have been read by all.", indent: 8,
            "option:headDimension",
            "large:"),
        unguarded("at depths", "// Each item reads depths that others have brought.", indent: 8, "size:"),
        unguarded("at products", "// Each item reads products of its key that others have found.", indent: 4, "size:"),
        unguarded(
            "before weights",
            "// The largest have been read by all: weights come in their place, and go to where the products were for their sum.",
            indent: 4, "size:"),
        unguarded(
            "before sums of columns",
            "// What stood there, products or the columns before these, has been read by all.",
            indent: 8, "size:", "large:"),
        unguarded("at sums of columns", "// Each item adds up what others have found.", indent: 8, "size:"),
        change(
            "split: scale without log2 e", "decode_split.cl", "p->scale : p->scale * LOGIT_UNIT", "p->scale : p->scale"),
        change("split: last key", "decode_split.cl", "key < w->high) {", "key < w->high - 1) {", "edge:one", "size:"),
        change(
            "split: last key's value", "decode_split.cl", "key >= w->high || c", "key >= w->high - 1 || c", "edge:one",
            "size:"),
        change("split: high bound", "decode_split.cl", "key >= range_high(p, ", "key > range_high(p, ", "causal"),
        change("split: excluded key counts", "decode_split.cl", "as_int(x[r]) == EXCLUDED ? -0.0f : ", "", "causal"),
        change(
            "split: poison through zero weight", "decode_split.cl", "if (as_int(weight) != NOTHING)", "if (true)",
            "poison"),
        change(
            "split: wrong key head", "decode_split.cl", "key_row(p, p->k, blocks, &w->s, w->key_head, key)",
            "key_row(p, p->k, blocks, &w->s, 0, key)", "h4/2"),
        change(
            "split: slope without log2 e", "decode_split.cl", "(slope * LOGIT_UNIT) * (float)abs", "slope * (float)abs",
            "alibi"),
        change("split: chunk of another row", "decode_split.cl", "w.first = block * ROWS;", "w.first = 0;", "size:"),
        change("split: sink missing", "decode_merge.cl", "sinks ? sinks[head] : -INFINITY", "-INFINITY", "sinks"),
        change(
            "split: one chunk left out", "decode_merge.cl", "chunk < p.key_blocks", "chunk < max(p.key_blocks - 1, 1)",
            "k1365", "size:"),
        change(
            "split: last column", "decode_merge.cl", "c + i < p.columns", "c + i < p.columns - (p.columns > 1)", "v17",
            "v9"),
    ].map { mutation in
        var split = mutation
        split.kernel = "decode_split"
        split.needsBarriers = true
        return split
    }
}
