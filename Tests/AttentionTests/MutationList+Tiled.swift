/// Wrong kernels by work-group tiles; among them every barrier that could be missing.
extension KernelMutation {
    /// Without the barrier that follows `reason`, a line of the comment above it.
    private static func unguarded(
        _ name: String, _ file: String, _ reason: String, indent: Int, _ hints: String...,
        tiles: [String: Int] = [:]
    ) -> KernelMutation {
        let place = reason + "\n" + String(repeating: " ", count: indent) + "barrier(CLK_LOCAL_MEM_FENCE);"
        return KernelMutation(
            name: "tiled: no barrier " + name, file: file, find: place, replace: reason, hints: hints,
            tiles: tiles)
    }

    static let tiled: [KernelMutation] = [
        unguarded(
            "before the first queries and keys", "tile_scores.clh",
            "// The last weights of the tile before have been read by all: queries and keys come in their place.",
            indent: 4,
            "k1365", "size:", tiles: ["ITEMS_Q": 4, "ITEMS_C": 8, "VALUE_VECTORS": 4]),
        unguarded(
            "at queries and keys", "tile_scores.clh",
            "// What others have brought is there, and the other side has been read by all.", indent: 8, "size:"),
        unguarded(
            "before shifts", "flash_tiled.cl", "// Queries and keys have been read by all: shifts come in their place.",
            indent: 8, "causal", "mask"),
        unguarded(
            "after shifts", "flash_tiled.cl", "// Each item reads shifts that others have found.", indent: 8, "causal",
            "mask"),
        unguarded(
            "before the first values", "tile_values.clh",
            "// The parts of the largest, which were in place of the values, have been read by all.", indent: 4, "size:"
        ),
        unguarded(
            "at values", "tile_values.clh",
            "// Weights, values and the flag are there, and the other side and its flag have been read by all.",
            indent: 8,
            "size:"),
        unguarded(
            "before the largest is found", "tile_rows.clh",
            "// Each item reads what others have written. And all have read queries and keys: weights come in their place.",
            indent: 4, "size:"),
        unguarded("before parts of a sum", "tile_rows.clh", "// All have read the last values.", indent: 4, "size:"),
        unguarded("before a sum", "tile_rows.clh", "// Each item reads the parts of all.", indent: 4, "size:"),
        unguarded(
            "before more columns are written", "tile_rows.clh",
            "// The columns before these have been read by all. One compiler fails at barriers that not all turns of a loop meet.",
            indent: 8,
            "v128", "v258", tiles: ["VALUE_VECTORS": 2]),
        unguarded(
            "before rows are written", "tile_rows.clh", "// Each item writes rows of others.", indent: 8, "size:"),
        change(
            "tiled: scale without log2 e", "stages.clh", "? 1.0f : LOGIT_UNIT", "? 1.0f : 1.0f"),
        change(
            "tiled: earlier keys not rescaled", "flash_tiled.cl", "out[c * QUERY_VECTORS + i] *= factor;", ";", "k1365",
            "size:"),
        change(
            "tiled: earlier sum not rescaled", "flash_tiled.cl", "sum[i] *= factor;", ";",
            "k1365", "size:"),
        change(
            "tiled: last depth", "stages.clh", "d * p->k.column, p->k.column, p->depth - d,",
            "d * p->k.column, p->k.column, p->depth - d - (d + LANES >= p->depth),",
            "size:"),
        change(
            "tiled: depths beyond the last are read", "stages.clh", "p->k.column, p->depth - d,",
            "p->k.column, LANES,", "option:headDimension"),
        change("tiled: last key", "flash_tiled.cl", "start < w.high;", "start < w.high - 1;", "edge:one", "size:"),
        change(
            "tiled: mixed keys taken for whole (start)", "flash_tiled.cl", "start < low_all || ", "", "window"),
        change(
            "tiled: mixed keys taken for whole (end)", "flash_tiled.cl", " || start + TILE_K > high_all", "", "causal"),
        change(
            "tiled: excluded key counts", "flash_tiled.cl", "if (is_mixed)\n                e",
            "if (false)\n                e", "causal"),
        change("tiled: poison through zero weight", "tile_values.clh", "if (!is_odd)", "if (true)", "poison"),
        change(
            "tiled: shift of another key", "stages.clh", "distance = key - (first + row)",
            "distance = key - (first + row) + 1", "causal"),
        change(
            "tiled: window's start", "stages.clh", "distance < -left", "distance <= -left", "window"),
        change("tiled: slope without log2 e", "stages.clh", "-(slope * LOGIT_UNIT)", "-slope", "alibi"),
        change("tiled: mask without log2 e", "stages.clh", "MULADD(m, LOGIT_UNIT, shift)", "m + shift", "mask:f"),
        change(
            "tiled: mask of another row", "stages.clh",
            "w->s.query_start + w->first + row);\n            const float m",
            "w->s.query_start + w->first);\n            const float m", "mask"),
        change(
            "tiled: NaN value dropped", "tile_values.clh", "TERM_BITS(weight) < (term_ints)(0))", "(term_ints)(-1))",
            "valueNaN"),
        change(
            "tiled: wrong key head", "stages.clh", "key_row(p, p->k, blocks, &w->s, w->head / p->group,",
            "key_row(p, p->k, blocks, &w->s, w->head % p->group,", "h4/2"),
        change(
            "tiled: wrong value head", "stages.clh", "key_row(p, p->v, blocks, &w->s, w->head / p->group,",
            "key_row(p, p->v, blocks, &w->s, w->head % p->group,", "h4/2"),
        change(
            "tiled: sink missing in the sum", "tile_rows.clh", "MULADD(sum, factor, exp2_lanes(s - larger))",
            "sum * factor", "sinks"),
        change("tiled: lse in base 2", "tile_rows.clh", "log(sum))", "log2(sum))", "lse"),
        change(
            "tiled: empty row's lse", "tile_rows.clh", "(lanes)(-INFINITY), is_empty", "(lanes)(INFINITY), is_empty",
            "closed-bool"),
        change("tiled: writes one row more", "tile_rows.clh", "if (row < w->rows)", "if (row <= w->rows)", "edge:one"),
        change(
            "tiled: last column", "tile_rows.clh", "count = p->columns - column;",
            "count = p->columns - column - (p->columns > 1);", "v17", "v9"),
        change(
            "tiled: columns of another block", "flash_tiled.cl",
            "write_rows(out, inverse, column,",
            "write_rows(out, inverse, 0,", "option:valueDimension", "v258", "v1024"),
    ].map { mutation in
        var tiled = mutation
        tiled.kernel = "flash_tiled"
        tiled.needsBarriers = true
        return tiled
    }
}
