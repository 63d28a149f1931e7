/// Wrong kernels among the fused ones.
extension KernelMutation {
    static let flash: [KernelMutation] = [
        change(
            "flash: scale without log2 e", "query_tile.clh", "p->scale : p->scale * LOGIT_UNIT", "p->scale : p->scale"),
        change(
            "flash: scale twice with softcap", "query_tile.clh", "? p->scale : p->scale *",
            "? p->scale * LOGIT_UNIT : p->scale *", "softcap"),
        change(
            "flash: earlier keys not rescaled", "flash_wide.cl", "exp2_lanes(tile->best[v] - best[v])", "(lanes)(1.0f)",
            "k1365", "size:"),
        change(
            "flash: earlier sum not rescaled", "flash_wide.cl", "MULADD(tile->sum[v], factor[v], sum[v])",
            "tile->sum[v] + sum[v]", "size:"),
        change("flash: last depth", "flash_wide.cl", "d < depth; ++d", "d < depth - 1; ++d", "size:"),
        change(
            "flash: last key", "flash_wide.cl", "last = min(start + TILE_J, high)",
            "last = min(start + TILE_J, high - (high > 3))", "size:"),
        change(
            "flash: mixed keys taken for whole (start)", "flash_wide.cl", "clamp(tile->low_all, from, to)", "from",
            "window"),
        change("flash: mixed keys taken for whole (end)", "flash_wide.cl", "tile->high_all < to", "false", "causal"),
        change(
            "flash: mask taken for nothing", "mask_tile.clh", "ANY_LANE(changed) ? MASK_IS_MIXED",
            "false ? MASK_IS_MIXED",
            "mask:f32"),
        change(
            "flash: mask taken for exclusion", "mask_tile.clh", "open |= AS_INTS(x[i])", "open = AS_INTS(x[i])",
            "mask:bool"),
        change("flash: mask ignored", "flash_wide.cl", "t = MULADD(m[at], (lanes)(LOGIT_UNIT), t);", "", "mask:f32"),
        change(
            "flash: vector mask polarity", "types.clh", "select((lanes)(-INFINITY), (lanes)(0.0f),",
            "select((lanes)(0.0f), (lanes)(-INFINITY),", "mask:bool"),
        change(
            "flash: one key too many taken for attended", "query_tile.clh",
            "tile->high_all = range_high(p, &w->s, position)", "tile->high_all = range_high(p, &w->s, position + 1)",
            "causal"),
        change(
            "flash: excluded key counts", "flash_wide.cl", "if (is_mixed)\n                e",
            "if (false)\n                e", "causal"),
        change(
            "flash: maximum over excluded", "flash_wide.cl",
            "select(t > best[v] ? t : best[v], best[v], excluded)", "t > best[v] ? t : best[v]", "poison"),
        change("flash: poison through zero weight", "flash_wide.cl", "if (keys->is_finite)", "if (true)", "poison"),
        change("flash: NaN value dropped", "value_tile.clh", "AS_INTS(weight) < 0)", "(lane_ints)(-1))", "valueNaN"),
        change(
            "flash: wrong key head", "key_block.clh", "head = w->head / p->group;", "head = w->head % p->group;", "h4/2"
        ),
        change(
            "flash: members of a group exchanged", "flash_wide.cl", "member = item - tile * p.group",
            "member = p.group - 1 - (item - tile * p.group) * 0", "h4/2"),
        change(
            "flash: sink missing in the sum", "query_tile.clh", "MULADD(sum, factor, exp2_lanes(s - larger))",
            "sum * factor", "sinks"),
        change(
            "flash: sink in natural units", "query_tile.clh", "(lanes)(sink * LOGIT_UNIT)", "(lanes)(sink)",
            "sinks:finite"),
        change(
            "flash: rows of a block run on into the next", "key_block.clh",
            "min(last, ((key >> p->block_shift) + 1) << p->block_shift)",
            "last", "probe:paged"),
        change("flash: lse in base 2", "query_tile.clh", "log(sum))", "log2(sum))", "lse"),
        change(
            "flash: empty row's lse", "query_tile.clh", "(lanes)(-INFINITY), is_empty", "(lanes)(INFINITY), is_empty",
            "closed-bool"),
        change(
            "flash: writes one row more", "query_tile.clh", "rows = min(LANES, w->rows - v * LANES)",
            "rows = min(LANES, w->rows + 1 - v * LANES)", "edge:one"),
        change(
            "flash: last column", "query_tile.clh", "count = min(LANES, p->columns - c)",
            "count = min(LANES, p->columns - c - (p->columns > 1))", "v17", "v9"),
        change("exp2 coefficient", "exp2.clh", "0x1.c6af7cp-5f", "0x1.c7af7cp-5f"),
        change("exp2 degree", "exp2.clh", "0x1.3b2de0p-7f", "0.0f"),
        change(
            "exp2 drops NaN", "exp2.clh", "(lanes)(-127.0f) > x ? (lanes)(-127.0f) : x",
            "x > (lanes)(-127.0f) ? x : (lanes)(-127.0f)", "keyNaN", "queryNaN"),
        change(
            "transposed rows exchanged", "transpose.clh", "ODDS(x[2 * i], x[2 * i + 1])",
            "ODDS(x[2 * i + 1], x[2 * i])"),
        change("vector bf16 truncated", "types.clh", "bits + 0x7FFF + ((bits >> 16) & 1)", "bits", "bf16"),
    ].map { mutation in
        var fused = mutation
        fused.kernel = "flash_wide"
        return fused
    }

    static let decode: [KernelMutation] = [
        change(
            "decode: scale without log2 e", "decode_wide.cl", "p->scale : p->scale * LOGIT_UNIT", "p->scale : p->scale"),
        change(
            "decode: last depth", "decode_wide.cl", "min(LANES, p->depth - d))",
            "min(LANES, p->depth - d - (p->depth > 1)))", "size:"),
        change(
            "decode: last column", "decode_wide.cl", "min(LANES, p->columns - c), from",
            "min(LANES, p->columns - c - (p->columns > 1)), from", "v17", "v9"),
        change(
            "decode: last key", "decode_wide.cl", "to = min(high - start, CHUNK_KEYS)",
            "to = min(high - start - (high > 3), CHUNK_KEYS)", "size:"),
        change(
            "decode: last chunk", "decode_wide.cl", "chunk < p.key_blocks;",
            "chunk < p.key_blocks - (p.key_blocks > 1);", "k1365", "size:"),
        change(
            "decode: wrong key head", "decode_wide.cl", "p.k, blocks, &seg, key_head,", "p.k, blocks, &seg, 0,",
            "h4/2"),
        change(
            "decode: wrong value head", "decode_wide.cl", "p.v, blocks, &seg, key_head,", "p.v, blocks, &seg, 0,",
            "h4/2"),
        change("decode: a block for all", "problem.clh", "(j >> p->block_shift)", "0", "probe:paged"),
        change(
            "decode: the table of another entry", "problem.clh", "(long)s->batch * p->block_columns + ",
            "0 * p->block_columns + ", "probe:paged"),
        change(
            "decode: places counted from key 0", "problem.clh", "min(start + i, end - 1)", "min(i, end - 1)",
            "k1365"),
        change(
            "decode: members of a group exchanged", "decode_wide.cl", "(first + i - row->query * p.group)",
            "(p.group - 1)", "h4/2"),
        change("decode: every row the first", "decode_wide.cl", "qs + i * VECTORS, s)", "qs, s)", "size:"),
        change(
            "decode: keys of another storage", "decode_wide.cl", "STORAGE_OF_Q(&p), FIND",
            "2 * STORAGE_OF_Q(&p), FIND", "f16"),
        change(
            "decode: values of another storage", "decode_wide.cl", "STORAGE_OF_V(&p), ADD",
            "2 * STORAGE_OF_V(&p), ADD", "f16"),
        change(
            "decode: lanes added crosswise", "lane_sums.clh", "ODDS(x[2 * i], x[2 * i + 1])",
            "ODDS(x[2 * i + 1], x[2 * i])"),
        change(
            "decode: excluded value read", "decode_wide.cl", "is_mixed && as_int(weight) == NOTHING", "false", "poison"),
        change("decode: mixed chunk not noticed", "row_weights.clh", "*is_mixed |= any(any_excluded);", "", "poison"),
        change(
            "decode: low bound", "row_weights.clh", "key < max(row->low, start + from)", "key < start + from", "window"),
        change(
            "decode: high bound", "row_weights.clh", "key >= min(row->high, start + to)", "key >= start + to", "causal"),
        change("decode: excluded key counts", "row_weights.clh", "AS_INTS(t) == EXCLUDED", "AS_INTS(t) == 0", "causal"),
        change(
            "decode: maximum over excluded", "row_weights.clh", "select(t > best ? t : best, best, excluded)",
            "t > best ? t : best", "poison"),
        change("decode: ALiBi sign", "row_weights.clh", "t -= (slope", "t += (slope", "alibi"),
        change("decode: mask ignored", "row_weights.clh", "t = MULADD(m, (lanes)(LOGIT_UNIT), t);", "", "mask:f32"),
        change(
            "decode: mask column without start", "row_weights.clh", "column = seg->key_start + start", "column = start",
            "mask:", "packed"),
        change(
            "decode: short mask attended", "problem.clh", "min(s->key_count, p->mask_keys - s->key_start)",
            "s->key_count",
            "short-mask"),
        change(
            "merge: earlier part not rescaled", "merge.clh", "MULADD(ao[c], of_a, bo[c] * of_b)",
            "MULADD(ao[c], (lanes)(1.0f), bo[c] * of_b)", "k1365", "size:"),
        change("merge: later sum not rescaled", "merge.clh", "b.sum * of_b.s0", "b.sum", "k1365", "size:"),
        change(
            "merge: sink missing", "merge.clh", "MULADD(a->sum, factor, exp2_lanes((lanes)(s - best)).s0)",
            "a->sum * factor", "sinks"),
        change("merge: lse in base 2", "merge.clh", "log(a.sum)", "log2(a.sum)", "lse"),
        change("merge: empty row's lse", "merge.clh", "? -INFINITY", "? INFINITY", "closed-bool"),
        change(
            "merge: parts of a neighbour", "merge.clh", "* p->key_blocks + chunk", "* p->key_blocks + 0 * chunk",
            "k1365"),
        change("merge: chunks left out", "merge_wide.cl", "chunk < p.key_blocks", "chunk < 1", "k1365"),
    ].map { mutation in
        var fused = mutation
        fused.kernel = "decode_wide"
        return fused
    }
}
