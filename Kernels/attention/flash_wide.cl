// flash_wide — fused attention for devices with wide vectors: scores, online softmax and weighted sum in one pass over the keys.
//   s = q·k·scale·log2 e   m' = max(m, max_j s_j)   p_j = 2^(s_j − m')   l' = l·2^(m − m') + Σ_j p_j   o' = o·2^(m − m') + Σ_j p_j·v_j
//   At the end o/l, lse = m·ln 2 + ln l.
// Shapes (strides in elements): q [B,Hq,Lq,D]  k [B,Hkv,Lk,D]  v [B,Hkv,Lk,Dv]  o [B,Hq,Lq,Dv]  lse [B,Hq,Lq], by any strides;
// with a table blocks [B][block_columns]: k [blocks,Hkv,2^block_shift,D], v alike.
// Launch: global (blocks, key heads, segments): one work-item owns block_tiles query tiles of the heads that share a key head, and
// reads their keys and values once, TILE_J at a time. One lane is one query, so that no reduction runs across lanes.
// Private: qᵀ and oᵀ of each tile; one tile's scores; TILE_J keys and values as float where they cannot be read in place. In registers:
// TILE_K × QUERY_VECTORS for the scores, TILE_V × QUERY_VECTORS for the values.
// Edges: TILE_J counts from key 0, whatever the mask leaves, so that a row's sums are cut at the same keys beside any other rows.
// Keys that no query of a tile attends are left out; keys that some do not attend have weight −0 there, which changes no sum.
// A NaN or +∞ among a row's scores makes its l NaN and so its output. Every zero is stored as +0.
// Source: Dao et al. 2022, arXiv 2205.14135, algorithm 1; Milakov and Gimelshein 2018, arXiv 1805.02867. Reference:
// AttentionReference.
#ifndef QUERY_VECTORS
#define QUERY_VECTORS 4 // vectors of queries in a tile (1…4): more reuse of each key, more registers
#endif
#ifndef TILE_K
#define TILE_K 4 // keys in registers (2…12)
#endif
#ifndef TILE_V
#define TILE_V 4 // value columns in registers (2…12)
#endif
#ifndef TILE_J
#define TILE_J 96 // keys of a pass; part of the arithmetic, the same for all tiles of a device
#endif
#ifndef ROOM
#define ROOM 64 // room for D and Dv; a multiple of LANES and TILE_V. Many dimensions share a program
#endif
#ifndef BLOCK_TILES
#define BLOCK_TILES 4 // most query tiles of a work-item: more reuse of packed keys, more private memory
#endif
#define LOGIT_UNIT 0x1.715476p+0f // log2 e
#include "types.clh"
#define TILE_Q (LANES * QUERY_VECTORS)
#include "problem.clh"
#include "exp2.clh"
#include "tanh.clh"
#include "logits.clh"
#include "exclusion.clh"
#include "rows.clh"
#include "blocks.clh"
#include "transpose.clh"
#include "query_tile.clh"
#include "mask_tile.clh"
#include "key_block.clh"
#include "value_tile.clh"
#pragma OPENCL FP_CONTRACT OFF

// s ← scores of `count` keys; best ← the largest.
inline void find_scores(
    const lanes *qt, const float *kt, long row, int depth, int count, lanes *s, lanes best[QUERY_VECTORS]) {
    for (int key = 0; key < count; key += TILE_K) {
        lanes sum[TILE_K][QUERY_VECTORS];
#pragma unroll
        for (int t = 0; t < TILE_K; ++t)
#pragma unroll
            for (int v = 0; v < QUERY_VECTORS; ++v)
                sum[t][v] = (lanes)(0.0f);
        const lanes *qd = qt;
        const float *kd = kt;
        for (int d = 0; d < depth; ++d) {
#pragma unroll
            for (int t = 0; t < TILE_K; ++t)
#pragma unroll
                for (int v = 0; v < QUERY_VECTORS; ++v)
                    sum[t][v] = MULADD(qd[v], (lanes)(kd[t * row]), sum[t][v]);
            qd += QUERY_VECTORS;
            kd += 1;
        }
#pragma unroll
        for (int t = 0; t < TILE_K; ++t)
            if (key + t < count) {
#pragma unroll
                for (int v = 0; v < QUERY_VECTORS; ++v) {
                    s[t * QUERY_VECTORS + v] = sum[t][v];
                    best[v] = sum[t][v] > best[v] ? sum[t][v] : best[v];
                }
            }
        kt += TILE_K * row;
        s += TILE_K * QUERY_VECTORS;
    }
}

// Softcap, mask and ALiBi, in place, for keys from … to − 1; best ← the largest attended one. The mask is in m.
inline void find_logits(
    lanes *s, bool is_masked, const lanes *m, int from, int to, float slope, const problem *p, const query_tile *tile,
    lanes best[QUERY_VECTORS]) {
    for (int key = from; key < to; ++key)
#pragma unroll
        for (int v = 0; v < QUERY_VECTORS; ++v) {
            const query_lanes *ql = &tile->ql[v];
            const int at = (key - from) * QUERY_VECTORS + v;
            lanes t = soft_capped(s[at], p->softcap);
            lane_ints excluded = (lane_ints)(key < ql->low) | (lane_ints)(key >= ql->high);
            if (is_masked) {
                excluded |= AS_INTS(m[at]) == (int)0xFF800000;
                t = MULADD(m[at], (lanes)(LOGIT_UNIT), t);
            }
            t = sloped(t, key, ql->position, slope);
            best[v] = select(t > best[v] ? t : best[v], best[v], excluded);
            const lane_ints kept = select((lane_ints)(QUIET_NAN), AS_INTS(t), t == t);
            s[at] = AS_LANES(select(kept, (lane_ints)(EXCLUDED), excluded));
        }
}

// s ← weights; sum ← theirs.
inline void find_weights(
    lanes *s, int count, bool is_mixed, const lanes best[QUERY_VECTORS], lanes sum[QUERY_VECTORS]) {
    for (int t = 0; t < count; ++t)
#pragma unroll
        for (int v = 0; v < QUERY_VECTORS; ++v) {
            const lanes logit = s[t * QUERY_VECTORS + v];
            lanes e = exp2_lanes(logit - best[v]);
            if (is_mixed)
                e = select(e, (lanes)(-0.0f), AS_INTS(logit) == EXCLUDED);
            s[t * QUERY_VECTORS + v] = e;
            sum[v] += e;
        }
}

// One tile's share of a pass: keys from … to − 1.
inline void attend(
    query_tile *tile, const key_block *keys, int from, int to, int first_key, lanes *s, lanes *m,
    global const uchar *mask, float slope, const problem *p) {
    const bool has_mask = HAS_MASK && p->mask_storage != STORAGE_none;
    const int kind = has_mask ? load_mask_tile(mask, from, to, p, &tile->w, m) : MASK_CHANGES_NOTHING;
    if (kind == MASK_EXCLUDES_ALL)
        return;
    const bool is_masked = kind == MASK_IS_MIXED;
    // Keys from … a − 1 and b … to − 1 are not attended by every query, or not as they are; b − a is whole TILE_Ks.
    const bool is_plain = !is_masked && slope == 0.0f && !(p->softcap > 0.0f);
    const int a = is_plain ? clamp(tile->low_all, from, to) : to;
    const int b = is_plain && tile->high_all < to ? a + max(tile->high_all - a, 0) / TILE_K * TILE_K : to;
    const int ends[4] = {from, a, b, to};
    lanes best[QUERY_VECTORS], factor[QUERY_VECTORS], sum[QUERY_VECTORS];
#pragma unroll
    for (int v = 0; v < QUERY_VECTORS; ++v) {
        best[v] = tile->best[v];
        sum[v] = (lanes)(0.0f);
    }
#pragma unroll 1
    for (int part = 0; part < 3; ++part) {
        const int first = ends[part] - from, count = ends[part + 1] - ends[part];
        lanes raw[QUERY_VECTORS];
#pragma unroll
        for (int v = 0; v < QUERY_VECTORS; ++v)
            raw[v] = best[v];
        lanes *at = s + first * QUERY_VECTORS;
        find_scores(
            tile->qt, keys->k + (ends[part] - first_key) * keys->k_row, keys->k_row, p->depth, count, at, raw);
        if (part == 1) {
#pragma unroll
            for (int v = 0; v < QUERY_VECTORS; ++v)
                best[v] = raw[v];
        } else {
            find_logits(at, is_masked, m, ends[part], ends[part + 1], slope, p, tile, best);
        }
    }
#pragma unroll 1
    for (int part = 0; part < 3; ++part)
        find_weights(
            s + (ends[part] - from) * QUERY_VECTORS, ends[part + 1] - ends[part], part != 1, best, sum);
#pragma unroll
    for (int v = 0; v < QUERY_VECTORS; ++v) {
        factor[v] = exp2_lanes(tile->best[v] - best[v]);
        tile->best[v] = best[v];
        tile->sum[v] = MULADD(tile->sum[v], factor[v], sum[v]);
    }
    const float *v = keys->v + (from - first_key) * keys->v_row;
    if (keys->is_finite)
        add_values(s, v, keys->v_row, p->columns, to - from, factor, tile->ot);
    else
        add_any_values(s, v, keys->v_row, p->columns, to - from, factor, tile->ot);
}

WIDE_KERNEL flash_wide(
    global const uchar *q, global const uchar *k, global const uchar *v, global uchar *o,
    global float *lse, global const uchar *mask, global const float *slopes, global const float *sinks,
    global const segment *segments, global const int *blocks, const problem p) {
    query_tile tiles[BLOCK_TILES];
    PRIVATE(lanes, qt, BLOCK_TILES * ROOM * QUERY_VECTORS);
    PRIVATE(lanes, ot, BLOCK_TILES * ROOM * QUERY_VECTORS);
    PRIVATE(lanes, kt, (TILE_J + TILE_K) * ROOM / LANES);
    PRIVATE(lanes, vt, TILE_J * ROOM / LANES);
    PRIVATE(lanes, s, TILE_J * QUERY_VECTORS);
    PRIVATE(lanes, m, HAS_MASK ? TILE_J * QUERY_VECTORS : 1);
    int count = 0, low = INT_MAX, high = 0;
    bool is_from_0 = true;
    for (int i = 0; i < p.block_tiles; ++i) {
        // Heads that share keys come first, then the next queries: their keys are much the same.
        const int item = get_global_id(0) * p.block_tiles + i, tile = item / p.group, member = item - tile * p.group;
        query_tile *t = &tiles[count];
        t->qt = qt + count * ROOM * QUERY_VECTORS;
        t->ot = ot + count * ROOM * QUERY_VECTORS;
        if (!find_work(&p, segments, tile, get_global_id(1) * p.group + member, get_global_id(2), &t->w))
            continue;
        start_tile(q, o, &p, t);
        low = min(low, t->w.low);
        high = max(high, t->w.high);
        is_from_0 &= t->low_all == 0;
        ++count;
    }
    if (count == 0)
        return;
    bool is_cleared = false;
    for (int start = low / TILE_J * TILE_J; start < high; start += TILE_J) {
        const int first = max(start, low), last = min(start + TILE_J, high);
        // Scores of the last TILE_K read keys beyond the last one, unless it is whole.
        const bool has_spare =
            (is_from_0 && last % TILE_K == 0) || last + TILE_K - 1 <= tiles[0].w.s.key_capacity;
        key_block keys;
        load_keys(
            k, v, blocks, &p, &tiles[0].w, first, last, has_spare, &is_cleared, (float *)kt, (float *)vt, &keys);
        for (int i = 0; i < count; ++i) {
            query_tile *t = &tiles[i];
            const int from = max(first, t->w.low), to = min(last, t->w.high);
            if (from < to)
                attend(t, &keys, from, to, first, s, m, mask, slopes ? slopes[t->w.head] : 0.0f, &p);
        }
    }
    for (int i = 0; i < count; ++i)
        finish_tile(&tiles[i], o, lse, sinks ? sinks[tiles[i].w.head] : -INFINITY, &p);
}
