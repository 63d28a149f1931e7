/// Wrong kernels of layers, in the text for devices with vectors or in that which both families share.
extension KernelMutation {
    static let layers: [KernelMutation] =
        linear + activations + normalization + embedding + rotary + pooling + selection + copies + additive
        + linearTiled + linearFew + additiveTiled + groups

    /// Those of one step.
    static func of(_ step: String, family: String? = nil, _ list: [KernelMutation]) -> [KernelMutation] {
        list.map { mutation in
            var layer = mutation
            (layer.kernel, layer.step, layer.family) = (nil, step, family)
            // Devices without vectors take their own text in any case.
            layer.needsBarriers = family == "tiled"
            return layer
        }
    }

    private static let linear = of(
        "linear",
        [
            change("linear: last input", "linear_wide.cl", "k < count; ++k", "k < count - (count > 3); ++k"),
            change(
                "linear: earlier inputs lost", "linear_wide.cl",
                "is_first ? sum[r][v] : total[r * VECTORS + v] + sum[r][v];", "sum[r][v];", "i390", "i1100"),
            change(
                "linear: first inputs for all", "linear_wide.cl", "((long)panel * p.depth + start) * PANEL",
                "((long)panel * p.depth) * PANEL", "i390", "i1100"),
            change("linear: bias dropped", "linear_wide.cl", "y = bias ? y + b : y;", "", "bias"),
            change(
                "linear: bias of the first outputs", "linear_wide.cl", "bias + p->bias + n", "bias + p->bias", "bias"),
            change(
                "linear: activation before bias", "linear_wide.cl",
                "y = bias ? y + b : y;\n            y = activated(y, p->activation);",
                "y = activated(y, p->activation);\n            y = bias ? y + b : y;", "bias"),
            change(
                "linear: residual before activation", "linear_wide.cl",
                """
                y = activated(y, p->activation);
                            if (residual)
                                y += load_part_f32(residual + matrix_row(p->residual, first + r) + n, 1, count);
                """,
                """
                if (residual)
                                y += load_part_f32(residual + matrix_row(p->residual, first + r) + n, 1, count);
                            y = activated(y, p->activation);
                """, "residual"),
            change(
                "linear: residual of another tile", "linear_wide.cl", "matrix_row(p->residual, first + r)",
                "matrix_row(p->residual, r)", "residual"),
            change(
                "linear: behind the last output", "linear_wide.cl", "count = min(LANES, p->columns - n);",
                "count = p->columns > n ? LANES : 0;", "gap"),
            change(
                "linear: last vector of a panel", "linear_wide.cl", "v < VECTORS; ++v) {\n        const int n",
                "v < VECTORS - 1; ++v) {\n        const int n", "o33", "o130"),
            change(
                "linear: a row's neighbour", "linear_wide.cl", "first + min(r, present - 1)",
                "first + min(r + 1, present - 1)", "r17", "r65"),
            change("linear: storage", "linear_wide.cl", "add_tile_f16(rows", "add_tile_bf16(rows", "f16"),
            change(
                "linear: last row of a work-item", "linear_wide.cl", "min(begin + p.item_tiles * TILE_M, p.rows)",
                "min(begin + p.item_tiles * TILE_M - 1, p.rows)", "r65"),
            change("linear: one panel for all", "linear_wide.cl", "panel * PANEL, bias", "low * PANEL, bias", "o600"),
        ])

    private static let activations = of(
        "linear",
        [
            change("relu below 1", "activation.clh", "(lanes)(0.0f), x < 0.0f)", "(lanes)(0.0f), x < 1.0f)", "relu"),
            change("gelu of negative numbers", "activation.clh", "select(-taken,", "select(taken,", "gelu"),
            change(
                "gelu without an end", "activation.clh", "select(all, (lanes)(NORMAL_TAIL_END), all > NORMAL_TAIL_END)",
                "all", "gelu-odd"),
            change("gelu coefficient", "normal.clh", "0x1.26aed6p+0f", "0x1.26bed6p+0f", "gelu"),
            change("gelu-tanh coefficient", "activation.clh", "0x1.2444f2p-4f", "0x1.2544f2p-4f", "geluTanh"),
            change(
                "gelu-tanh for gelu", "activation.clh", "activation == ACTIVATION_gelu)",
                "activation == ACTIVATION_none)", "gelu"),
            change("silu of its size", "activation.clh", "return gated(x, x);", "return gated(x, 2 * x);", "silu"),
            change(
                "silu of minus infinity", "activation.clh", "(lanes)(-FLT_MAX), x < -FLT_MAX",
                "(lanes)(-FLT_MAX), x < -INFINITY", "silu-odd", "geluTanh-odd"),
        ])

    private static let normalization = of(
        "layer_norm",
        [
            change(
                "norm: variance about 0", "layer_norm.cl",
                "first_lanes(added_part(from, other, c, count) - mean, count)",
                "first_lanes(added_part(from, other, c, count), count)", "-layer-"),
            change(
                "norm: lanes behind the last column", "layer_norm.cl",
                "first_lanes(added_part(from, other, c, count) - mean, count)",
                "(added_part(from, other, c, count) - mean)", "-layer-"),
            change("norm: epsilon dropped", "layer_norm.cl", "variance + p.epsilon", "variance", "small"),
            change(
                "norm: epsilon beside the root", "layer_norm.cl", "1.0f / sqrt(variance + p.epsilon)",
                "1.0f / (sqrt(variance) + p.epsilon)", "small"),
            change(
                "norm: sample variance", "layer_norm.cl", "shared) / p.columns;", "shared) / max(p.columns - 1, 1);",
                "-layer-"),
            change(
                "norm: rms about the mean", "layer_norm.cl", "p.kind == NORM_layer ? all / p.columns : 0.0f",
                "all / p.columns", "rms"),
            change(
                "norm: residual dropped", "layer_norm.cl", "residual ? t + row_part(residual + c, count) : t", "t",
                "residual"),
            change(
                "norm: residual of the first row", "layer_norm.cl", "matrix_row(p.residual, row)",
                "matrix_row(p.residual, low)", "residual"),
            change("norm: residual twice", "layer_norm.cl", "other = 0;", "", "residual-sum"),
            change(
                "norm: sum without residual", "layer_norm.cl", "put_part(t, count, sum",
                "put_part(row_part(from + c, count), count, sum", "residual-sum"),
            change("norm: weight of the first columns", "layer_norm.cl", "weight + p.weight + c", "weight + p.weight"),
            change("norm: bias dropped", "layer_norm.cl", "y += row_part(bias + p.bias + c, count);", ";", "weight"),
        ])

    private static let embedding = of(
        "embedding",
        [
            change("embedding: third table", "embedding.cl", "if (p.terms > 2)", "if (false)"),
            change("embedding: second scale", "embedding.cl", "(lanes)(p.scales[1])", "(lanes)(p.scales[0])"),
            change("embedding: second indices", "embedding.cl", "indices[p.rows + row]", "indices[row]"),
            change(
                "embedding: third indices", "embedding.cl", "indices[2 * (long)p.rows + row]",
                "indices[p.rows + row]"),
            change(
                "embedding: storage", "embedding.cl", "stored_part(p.storages[2], third",
                "stored_part(p.storages[0], third"),
            change(
                "embedding: last column", "embedding.cl", "min(LANES, p.columns - d)",
                "min(LANES, p.columns - d - (p.columns - d > 1))"),
        ])

    private static let rotary = of(
        "rotary",
        [
            change("rotary: sign", "rotary.cl", "-((y) * (sine))", "(y) * (sine)"),
            change("rotary: start", "rotary.cl", "(long)starts[b] + i", "(long)starts[0] + i"),
            change("rotary: head", "rotary.cl", "head_row(p.x, b, h, i)", "head_row(p.x, b, 0, i)"),
            change(
                "rotary: second half", "rotary.cl", "o + pairs + n);", "o + pairs + n - (n > 0));", "p33"),
            change("rotary: neighbours", "rotary.cl", "o[2 * n + 1] = TURN_Y", "o[2 * n + 1] = TURN_X", "interleaved"),
            change("rotary: last number", "rotary.cl", "d < p.dimension", "d < p.dimension - 1", "+1-", "+6-"),
            change(
                "rotary: reads what it has written", "rotary.cl", "TURN_Y(a, b, cosine, sine), count, o + pairs",
                "TURN_Y(row_part(x + n, count), b, cosine, sine), count, o + pairs", "inplace"),
        ])

    private static let pooling = of(
        "pool",
        [
            change("pool: one row too many", "pool.cl", "y / (float)(last - first)", "y / (float)(last - first + 1)"),
            change("pool: last row", "pool.cl", "row = first + 1; row < last;", "row = first + 1; row < last - 1;"),
            change(
                "pool: last row for the first", "pool.cl", "matrix_row(p->x, first) + c",
                "matrix_row(p->x, last - 1) + c", "cls"),
            change("pool: NaN passed over", "pool.cl", "(y >= t) | (y != y)", "y >= t", "max-odd"),
            change("pool: a sequence without rows", "pool.cl", "first >= last", "first > last"),
            change("pool: not normalised", "pool.cl", "row_part(to + c, count) / divisor", "row_part(to + c, count)"),
            change(
                "pool: length of nothing", "pool.cl", "length < 1e-12f ? 1e-12f : length", "length", "normalized"),
        ])

    private static let selection = of(
        "select",
        [
            change(
                "select: later of two equals", "select_top.cl", "b.place < a.place) ? b : a",
                "b.place < a.place - 1) ? b : a", "tied"),
            change(
                "select: later of two equals in a lane", "select_top.cl", "(key > best) | (place == NOWHERE)",
                "(key >= best) | (place == NOWHERE)", "tied"),
            change("select: the same again", "select_top.cl", "at > last.place", "at >= last.place"),
            change(
                "select: zeros differ", "select_top.cl", "select(AS_INTS(x), (lane_ints)(0), x == 0.0f)", "AS_INTS(x)",
                "tied"),
            change(
                "select: NaN in front", "select_top.cl", "(lane_ints)(INT_MIN), bits ^",
                "(lane_ints)(INT_MAX - 1), bits ^",
                "odd"),
            change("select: behind the last column", "select_top.cl", "(at < columns) & ", "", "tied"),
            change(
                "select: values of a row with infinity", "select_top.cl", "| (AS_INTS(t) == INFINITE)", "", "odd"),
            change("select: values not normalised", "select_top.cl", " - largest - log_sum", " - largest"),
            change(
                "select: largest of the first vector", "select_top.cl",
                "logits(x, c, min(LANES, p.columns - c)) - largest",
                "logits(x, 0, min(LANES, p.columns - c)) - largest"),
        ])

    private static let copies = of(
        "copy",
        [
            change("copy: entries", "copy.cl", "entries ? entries[i] : i", "i", "gathered"),
            change("copy: strides", "copy.cl", "from_step == 1 && to_step == 1", "to_step == 1", "transposed"),
            change("copy: second dimension", "copy.cl", "j = ij - i * p.sizes[1]", "j = 0"),
            change(
                "copy: last row", "copy.cl", "min(low + p.item_rows, p.rows)",
                "min(low + p.item_rows, p.rows - (p.rows > 2))"),
            change("copy: zeros", "copy.cl", "to[c * to_step] = 0;", "to[c * to_step] = 1;", "zeros"),
        ])

    private static let additive = of(
        "additive",
        [
            change("additive: scores without log2 e", "additive_wide.cl", "lane_sums(x) * LOG2_E", "lane_sums(x)"),
            change(
                "additive: keys behind the last", "additive_wide.cl",
                "count < LANES ? select((lanes)(-INFINITY), s, LANE_NUMBERS < count) : s", "s", "k4", "k19"),
            change(
                "additive: weight of the first numbers", "additive_wide.cl", "row_part(weight + a,", "row_part(weight,"),
            change(
                "additive: earlier keys not rescaled", "additive_wide.cl", "c == vectors - 1 ? part : LANES) * factor;",
                "c == vectors - 1 ? part : LANES);", "k150", "k70"),
            change("additive: earlier sum not rescaled", "additive_wide.cl", "sum *= factor[0];", "", "k150", "k70"),
            change(
                "additive: starts from what was there", "additive_wide.cl", "s, count, start == 0, factor[0]",
                "s, count, false, factor[0]"),
            change("additive: padding", "additive_wide.cl", "keys = lengths[b]", "keys = lengths[0]", "lengths"),
            change("additive: no keys", "additive_wide.cl", "keys > 0 ? ", "true ? ", "k0"),
            change(
                "additive: probabilities not normalised", "additive_wide.cl", "- best) / total, min(part",
                "- best), min(part", "probabilities"),
            change(
                "additive: probabilities of padding", "additive_wide.cl", "best) / total, min(part, keys - j));",
                "best) / total, part);", "probabilities-lengths"),
            change("additive: tanh beyond its polynomial", "tanh.clh", "size < 0.55f", "size < 0.9f"),
        ])
}
