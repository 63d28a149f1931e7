/// Wrong kernels by work-group tiles; among them every barrier that could be missing.
extension KernelMutation {
    /// Without the barrier that follows `reason`, a line of the comment above it.
    private static func unguarded(_ name: String, _ file: String, _ reason: String, indent: Int, _ hints: String...)
        -> KernelMutation
    {
        let place = reason + "\n" + String(repeating: " ", count: indent) + "barrier(CLK_LOCAL_MEM_FENCE);"
        return KernelMutation(
            name: "tiled: no barrier " + name, file: file, find: place, replace: reason, hints: hints)
    }

    static let tiled: [KernelMutation] = [
        unguarded(
            "before queries and keys", "flash_tiled.cl", "// What was in local memory before has been read by all.",
            indent: 8, "k1365", "size:"),
        unguarded(
            "after queries and keys", "flash_tiled.cl", "// Each item reads what others have brought.", indent: 8,
            "size:"),
        unguarded(
            "before values", "flash_tiled.cl",
            "// All weights are there, and what was in place of the values has been read.", indent: 8, "size:"),
        unguarded(
            "after values", "flash_tiled.cl", "// Each item reads values, and the flag, that others have brought.",
            indent: 8, "size:"),
        unguarded(
            "before the largest is found", "stages.clh",
            "// Each item reads what others have written. And all have read queries and keys: weights come in their place.",
            indent: 4, "size:"),
        unguarded("before parts of a sum", "stages.clh", "// All have read the last values.", indent: 4, "size:"),
        unguarded("before a sum", "stages.clh", "// Each item reads the parts of all.", indent: 4, "size:"),
        change(
            "tiled: scale without log2 e", "stages.clh", "p->scale : p->scale * LOGIT_UNIT", "p->scale : p->scale"),
        change(
            "tiled: earlier keys not rescaled", "flash_tiled.cl", "out[c][i] *= factor;", ";", "k1365", "size:"),
        change(
            "tiled: earlier sum not rescaled", "flash_tiled.cl", "MULADD(sum[i], factor, more[i])", "sum[i] + more[i]",
            "k1365", "size:"),
        change(
            "tiled: last depth", "stages.clh", "x, to + d * K_ROW * LANES + row, K_ROW * LANES);",
            "depth + d + LANES < p->depth ? x : (lanes)(x.s0, x.s1, x.s2, 0.0f), to + d * K_ROW * LANES + row, K_ROW * LANES);",
            "size:"),
        change(
            "tiled: depths beyond the last are read", "stages.clh", "p->k.column, p->depth - depth - d)",
            "p->k.column, LANES)", "option:headDimension"),
        change("tiled: last key", "flash_tiled.cl", "start < w.high;", "start < w.high - 1;", "edge:one", "size:"),
        change(
            "tiled: mixed keys taken for whole (start)", "flash_tiled.cl", "start < low_all || ", "", "window"),
        change(
            "tiled: mixed keys taken for whole (end)", "flash_tiled.cl", " || start + TILE_K > high_all", "", "causal"),
        change(
            "tiled: excluded key counts", "flash_tiled.cl", "if (is_mixed)\n                e",
            "if (false)\n                e", "causal"),
        change(
            "tiled: maximum over excluded", "flash_tiled.cl", "select(x > best[v] ? x : best[v], best[v], excluded)",
            "x > best[v] ? x : best[v]", "poison"),
        change("tiled: poison through zero weight", "flash_tiled.cl", "if (odd[flag] == 0)", "if (true)", "poison"),
        change("tiled: NaN value dropped", "flash_tiled.cl", "AS_INTS(weight) < 0)", "(lane_ints)(-1))", "valueNaN"),
        change(
            "tiled: wrong key head", "stages.clh", "key_row(p, p->k, blocks, &w->s, w->head / p->group,",
            "key_row(p, p->k, blocks, &w->s, w->head % p->group,", "h4/2"),
        change(
            "tiled: wrong value head", "stages.clh", "key_row(p, p->v, blocks, &w->s, w->head / p->group,",
            "key_row(p, p->v, blocks, &w->s, w->head % p->group,", "h4/2"),
        change(
            "tiled: sink missing in the sum", "stages.clh", "MULADD(sum, factor, exp2_lanes(s - larger))",
            "sum * factor", "sinks"),
        change("tiled: lse in base 2", "stages.clh", "log(sum))", "log2(sum))", "lse"),
        change(
            "tiled: empty row's lse", "stages.clh", "(lanes)(-INFINITY), is_empty", "(lanes)(INFINITY), is_empty",
            "closed-bool"),
        change("tiled: writes one row more", "stages.clh", "if (row >= w->rows)", "if (row > w->rows)", "edge:one"),
        change(
            "tiled: last column", "stages.clh", "count = p->columns - column;",
            "count = p->columns - column - (p->columns > 1);", "v17", "v9"),
        change(
            "tiled: columns of another block", "flash_tiled.cl",
            "write_rows(out, i, inverse, row, column + ic * LANES,",
            "write_rows(out, i, inverse, row, ic * LANES,", "option:valueDimension", "v258", "v1024"),
    ].map { mutation in
        var tiled = mutation
        tiled.kernel = "flash_tiled"
        tiled.needsBarriers = true
        return tiled
    }
}
