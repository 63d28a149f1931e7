/// Wrong kernels: each is one change to the shipped text, of the kind that reviews miss.
extension KernelMutation {
    static let all: [KernelMutation] =
        exclusion + softmax + products + returned + scalar + flash + decode + tiled + split + subGroups + fast + layers

    static func change(
        _ name: String, _ file: String, _ find: String, _ replace: String, _ hints: String...
    ) -> KernelMutation {
        KernelMutation(name: name, file: file, find: find, replace: replace, hints: hints)
    }

    private static let exclusion: [KernelMutation] = [
        change(
            "causal one too many", "problem.clh", "min(high, position + 1) : high", "min(high, position + 2) : high",
            "causal"),
        change(
            "causal strict", "problem.clh", "min(high, position + 1) : high", "min(high, position) : high", "causal"),
        change("causal ignored", "problem.clh", "p->causal ? min", "0 ? min", "causal"),
        change(
            "window left narrow", "problem.clh", "position - p->window_left, ", "position - p->window_left + 1, ",
            "window"),
        change("window right narrow", "problem.clh", "p->window_right + 1)", "p->window_right)", "window"),
        change(
            "last key of a length", "problem.clh", "min(s->key_count, p->",
            "min(s->key_count - (s->key_count > 3 ? 1 : 0), p->", "lengths"),
        change("last key of a tile's range", "problem.clh", "position + w->rows - 1)", "position)", "causal"),
        change("position without offset", "logits.clh", "row + w->s.offset;", "row;", "edge:causal-last-key"),
        change(
            "mask polarity", "types.clh", "*p ? 0.0f : -INFINITY", "*p ? -INFINITY : 0.0f", "mask:bool"),
        change(
            "minus infinity no exclusion", "logits.clh", "out |= (AS_INTS(m) == (int)0xFF800000);", "", "closed-add"),
        change(
            "short mask attended", "problem.clh", "min(s->key_count, p->mask_keys - s->key_start)", "s->key_count",
            "short-mask"),
        change("mask column without start", "logits.clh", "w->s.key_start + key;", "key;", "mask:", "packed"),
        change(
            "mask added before softcap", "logits.clh", "MULADD(m, (lanes)(LOGIT_UNIT), s)",
            "s + (p->softcap > 0.0f ? soft_capped(m, p->softcap) : m)", "softcap-then-mask"),
        change(
            "float mask taken for none", "logits.clh", "p->mask_storage != STORAGE_none",
            "p->mask_storage == STORAGE_bool", "mask:f32"),
        change(
            "mask of a neighbour", "logits.clh", "min(i, last) * p->mask.row", "0 * p->mask.row", "mask:f32"),
        change("mask ignored", "logits.clh", "s = MULADD(m, (lanes)(LOGIT_UNIT), s);", "", "mask:f32"),
    ]

    private static let softmax: [KernelMutation] = [
        change(
            "ALiBi without abs", "logits.clh", "AS_FLOATS(abs(key - position))", "AS_FLOATS(key - position)", "alibi"),
        change("ALiBi sign", "logits.clh", "? s - (slope", "? s + (slope", "alibi"),
        change("tanh beyond its polynomial", "tanh.clh", "size < 0.55f", "size < 0.9f", "softcap"),
        change("tanh without a sign", "tanh.clh", "(AS_INTS(x) & (int)0x80000000)", "0", "softcap"),
        change(
            "softcap not scaled back", "logits.clh", "(softcap * LOGIT_UNIT) * tanh", "LOGIT_UNIT * tanh", "softcap"),
        change(
            "sink missing in the sum", "softmax.cl", "sum += exp_lanes((lanes)(sink) - best);", ";", "sinks"),
        change("sink of another head", "softmax.cl", "sinks[w.head]", "sinks[0]", "sinks:finite"),
        change(
            "empty row's lse", "softmax.cl", "select((lanes)(-INFINITY), l, found)",
            "select((lanes)(INFINITY), l, found)", "closed-bool"),
        change(
            "excluded key counts", "softmax.cl", "(lanes)(-0.0f), AS_INTS(t) == EXCLUDED",
            "(lanes)(-0.0f), AS_INTS(t) == 0", "mask:bool"),
        change("NaN scores dropped", "softmax.cl", "attended & (nan |", "attended & (0 |", "keyNaN", "queryNaN"),
        change("infinite score dropped", "softmax.cl", "(AS_INTS(t) == INFINITE)", "0", "maskPlusInfinity"),
        change(
            "maximum over excluded", "softmax.cl", "fmax(best, t), attended)", "fmax(best, t), (lane_ints)(-1))",
            "poison"),
        change("exponential coefficient", "exp.clh", "0x1.55540ap-3f", "0x1.56540ap-3f"),
        change("exponential degree", "exp.clh", "0x1.126d1ep-7f", "0.0f"),
        change("lse base 2", "softmax.cl", "best + log(sum)", "best + log2(sum)", "lse"),
    ]

    private static let products: [KernelMutation] = [
        change("last depth", "scores.cl", "d < count; ++d", "d < count - 1; ++d", "size:"),
        change(
            "scale in every pass", "scores.cl", "< p->depth ? 1.0f : p->scale", "< p->depth ? p->scale : p->scale",
            "d192",
            "d129"),
        change("sums of chunks lost", "scores.cl", "if (depth > 0 && key + t < w->high)", "if (depth > 9999)", "d192"),
        change(
            "wrong key head", "scores.cl", "w->head / p->group, w->s.key_start + key)",
            "w->head % p->group, w->s.key_start + key)", "h4/2"),
        change(
            "wrong value head", "weighted_sum.cl", "w->head / p->group, w->s.key_start + key);\n    copy_rows",
            "w->head % p->group, w->s.key_start + key);\n    copy_rows", "h4/2"),
        change("poison through zero weight", "weighted_sum.cl", "if (is_finite)", "if (1)", "poison"),
        change("NaN value dropped", "weighted_sum.cl", "AS_INTS(weight) < 0)", "(lane_ints)(-1))", "valueNaN"),
        change(
            "last keys of a pass", "weighted_sum.cl", "min(TILE_J, w->high - key)", "min(TILE_J, (w->high - key) & ~1)",
            "size:"),
        change(
            "unnormalised", "weighted_sum.cl", "* inverse + 0.0f;",
            "* (inverse > 0.0f ? inverse + 1e-5f : inverse) + 0.0f;"),
        change(
            "last column", "weighted_sum.cl", "min(LANES, columns - c)",
            "min(LANES, columns - c - (columns > 1))", "v17", "v9"),
        change(
            "writes one row more", "weighted_sum.cl", "w->rows - v * LANES, min", "w->rows + 1 - v * LANES, min",
            "edge:one"),
        change("queries of another storage", "scores.cl", "p->q_storage, q,", "2 * p->q_storage, q,", "f16"),
        change("keys of another storage", "scores.cl", "p->q_storage, k,", "2 * p->q_storage, k,", "f16"),
        change("values of another storage", "weighted_sum.cl", "p->v_storage, v,", "2 * p->v_storage, v,", "f16"),
        change("output of another storage", "weighted_sum.cl", "p->q_storage, x,", "2 * p->q_storage, x,", "f16"),
        change(
            "a value's storage is the query's", "weighted_sum.cl", "p->v_storage, v,",
            "max(p->v_storage, p->q_storage), v,", "f16.f32", "bf16.f32", "bf16.f16"),
        change("copied tail", "rows.clh", "from + count - LANES", "from + count - LANES - 1", "d35"),
        change("bf16 truncated", "types.clh", "(bits + 0x7FFFu + ((bits >> 16) & 1u)) >> 16", "bits >> 16", "bf16"),
        change("bf16 ties away", "types.clh", "0x7FFFu + ((bits >> 16) & 1u)", "0x8000u", "equal", "bf16"),
        change("f16 towards zero", "types.clh", "vstore_half_rte(x", "vstore_half_rtz(x", "f16"),
    ]

    private static let returned: [KernelMutation] = [
        change(
            "past rows reversed", "concatenate.cl", "is_past ? row : row - past_length",
            "is_past ? past_length - 1 - row : row - past_length", "past"),
        change(
            "present column stride", "concatenate.cl", "fresh[source + c * from.column]", "fresh[source + c]", "past"),
        change(
            "masked scores before softcap", "score_output.cl", "select((lanes)(-INFINITY), logits, excluded == 0)",
            "select((lanes)(-1e30f), logits, excluded == 0)", "scores2"),
        change("probabilities not normalised", "score_output.cl", "select(t * inverse,", "select(t,", "scores3"),
        change(
            "scores at the wrong key", "score_output.cl", "(w->s.key_start + key) * p->scores.column,",
            "key * p->scores.column,", "scores", "packed"),
        change(
            "last scores of a row", "score_output.cl", "v * LANES, count, out", "v * LANES, count - 1, out", "scores"),
        change("scores of another storage", "score_output.cl", "p->q_storage, x,", "2 * p->q_storage, x,", "scores"),
        change(
            "masked scores for exponentials", "score_output.cl", "p->score_mode == 3", "p->score_mode >= 2", "scores2"),
        change("masked scores without mask", "score_output.cl", "p->score_mode == 1", "p->score_mode >= 1", "scores2"),
        change("scores before softcap", "score_output.cl", "p->score_mode == 0", "p->score_mode <= 1", "scores1"),
        change("excluded scores are 0", "score_output.cl", "p->score_mode == 2", "false", "scores2"),
    ]

    /// In the text for devices without vectors.
    private static let scalar: [KernelMutation] = [
        change(
            "scalar: wrong key head", "scores.cl", "w->head / p->group, w->s.key_start + min",
            "w->head % p->group, w->s.key_start + min", "h4/2"),
        change("scalar: last depth", "scores.cl", "d < p->depth; ++d", "d < p->depth - 1; ++d", "size:"),
        change("scalar: block bound", "scores.cl", "(block + 1) * p.block_keys", "block * p.block_keys + 3", "size:"),
        change(
            "scalar: wrong value column", "weighted_sum.cl", "block * TILE_V;", "block * (TILE_V - 1);", "v17", "v9"),
        change(
            "scalar: a query's neighbour", "weighted_sum.cl", "add_careful(weights[i], value",
            "add_careful(weights[0], value", "size:"),
    ].map { mutation in
        var scalar = mutation
        scalar.family = "tiled"
        return scalar
    }
}
