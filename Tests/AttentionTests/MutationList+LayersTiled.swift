/// Wrong kernels of layers by work-groups. A barrier that is missing shows where work-items run on until they meet one; not where
/// the first of them alone has written, as it is the first to run. Oclgrind sees those.
extension KernelMutation {
    private static func barrier(
        _ name: String, _ file: String, after comment: String, _ indent: Int, _ hints: String...
    ) -> KernelMutation {
        let space = String(repeating: " ", count: indent)
        var mutation = change(
            "barrier: \(name)", file, "// \(comment)\n\(space)barrier(CLK_LOCAL_MEM_FENCE);", "// \(comment)")
        mutation.hints = hints
        return mutation
    }

    static let linearTiled = of(
        "linear", family: "tiled",
        [
            barrier(
                "linear, chunk", "linear_tiled.cl",
                after: "What others have brought is there, and the other side has been read by all.", 8, "r17", "r65"),
            change(
                "tiled linear: one side for all", "linear_tiled.cl", "side = 1 - side;", "", "r17i390", "r65", "r17"),
            change(
                "tiled linear: last part", "linear_tiled.cl", "k % PART == 0 || !has_more", "k % PART == 0", "r17",
                "r65"),
            change(
                "tiled linear: parts twice", "linear_tiled.cl",
                "totals[r] += sums[r];\n                sums[r] = (lanes)(0.0f);", "totals[r] += sums[r];", "r17",
                "r65"),
            change(
                "tiled linear: last input", "linear_tiled.cl", "has_more = k + CHUNK < p.depth",
                "has_more = k + CHUNK + 1 < p.depth", "i33"),
            change(
                "tiled linear: outputs of a neighbour", "linear_tiled.cl", "column + in * LANES, bias",
                "column + im * LANES, bias", "r17", "r65"),
            change("tiled linear: bias dropped", "layer_outputs.clh", "if (bias)", "if (false)", "bias"),
            change(
                "tiled linear: residual of the first row", "layer_outputs.clh", "matrix_row(p->residual, row)",
                "matrix_row(p->residual, 0)", "residual"),
            change(
                "tiled linear: behind the last output", "layer_outputs.clh", "row < p->rows ? p->columns - n : 0",
                "row < p->rows ? p->columns - n + 1 : 0", "gap"),
            change("tiled linear: third output", "layer_outputs.clh", "to[2] = x.s2;", "to[2] = x.s1;", "o7"),
        ])

    static let linearFew = of(
        "linear", family: "tiled",
        [
            barrier(
                "few, weights read", "linear_few_tiled.cl", after: "What was there has been read by all.", 12, "r8",
                "r3"),
            barrier(
                "few, weights", "linear_few_tiled.cl", after: "Each item reads what others have brought.", 12, "r8",
                "r3"),
            barrier(
                "few, room for sums", "linear_few_tiled.cl",
                after: "The weights have been read by all: sums[part][row][output] come in their place.", 8, "r8", "r3"),
            barrier("few, sums", "linear_few_tiled.cl", after: "The sums of all parts are there.", 8, "r8", "r3"),
            change("few: first part for all", "linear_few_tiled.cl", "k + part * PART,", "k,", "r1i130", "r2", "r3"),
            change(
                "few: last part", "linear_few_tiled.cl", "i < PARTS; ++i)\n                    totals",
                "i < PARTS - 1; ++i)\n                    totals", "r1i1100", "r2i1100", "r3i1100", "r8i1100"),
            change(
                "few: second round", "linear_few_tiled.cl", "start < p.depth; start", "start < 1; start", "i1100"),
            change("few: row of another", "linear_few_tiled.cl", "first + row, column", "first, column", "r3", "r8"),
        ])

    static let additiveTiled = of(
        "additive", family: "tiled",
        [
            barrier("additive, rounds", "additive_tiled.cl", after: "The numbers of this round are there.", 8, "k70"),
            barrier(
                "additive, staged before", "additive_tiled.cl", after: "What was staged before has been read by all.",
                12, "k70"),
            barrier(
                "additive, staged", "additive_tiled.cl", after: "Each item reads what others have brought.", 12, "k70"),
            barrier("additive, weights", "additive_tiled.cl", after: "All weights are there.", 8, "k70"),
            change(
                "tiled additive: earlier keys not rescaled", "additive_tiled.cl", ", part) * lane_of(factor, i);",
                ", part);", "k150", "k70"),
            change("tiled additive: earlier sum", "additive_tiled.cl", "sum * factor + e", "sum + e", "k150", "k70"),
            change(
                "tiled additive: keys behind the last", "additive_tiled.cl", "item < count ? s : (lanes)(-INFINITY)",
                "s", "k4", "k19"),
            change(
                "tiled additive: last query", "additive_tiled.cl", "queries = min(LANES, p.queries - first)",
                "queries = max(min(LANES, p.queries - first) - 1, 1)", "q3", "q17"),
            change("tiled additive: padding", "additive_tiled.cl", "keys = lengths[b]", "keys = lengths[0]", "lengths"),
            change("tiled additive: third column", "additive_tiled.cl", "to[2] = x.s2;", "to[2] = x.s1;", "v7"),
            change(
                "tiled additive: probabilities of padding", "additive_tiled.cl", "*to = j < keys ?", "*to = true ?",
                "probabilities-lengths"),
        ])

    /// Work-items that share a row.
    static let groups =
        of(
            "layer_norm", family: "tiled",
            [
                barrier("row, read before", "group.clh", after: "Nobody still reads what was there.", 4),
                barrier("row, rounds", "group.clh", after: "The numbers of this round are there.", 8),
            ])
        + of(
            "select", family: "tiled",
            [
                barrier("best, read before", "select_top.cl", after: "Nobody still reads what was there.", 4)
            ])
        + of(
            "embedding", family: "tiled",
            [
                change(
                    "row: items on each other's places", "embedding.cl", "d += ITEMS * LANES", "d += LANES * ITEMS * 2",
                    "c130")
            ])
}
