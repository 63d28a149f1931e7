// flash_tiled — fused attention by work-group tiles, for devices with local memory and narrow vectors: scores, online softmax and
// weighted sum in one pass over the keys.
//   s_j = q·k_j·scale·log2 e   m' = max(m, max_j s_j)   p_j = 2^(s_j − m')   l' = l·2^(m − m') + Σ_j p_j   o' = o·2^(m − m') + Σ_j p_j·v_j
//   At the end o/l, lse = m·ln 2 + ln l.
// Shapes (strides in elements): q [B,Hq,Lq,D]  k [B,Hkv,Lk,D]  v [B,Hkv,Lk,Dv]  o [B,Hq,Lq,Dv]  lse [B,Hq,Lq], by any strides;
// with a table blocks [B][block_columns]: k [blocks,Hkv,2^block_shift,D], v alike.
// Launch: global (GROUP · tiles · key_blocks, heads, segments), local (GROUP, 1, 1): one work-group owns TILE_Q queries and one of
// key_blocks blocks of COLUMNS value columns. Items stand in ITEMS_Q rows and ITEMS_C columns; one has 4·QUERY_VECTORS queries, with
// 4·KEY_VECTORS keys of a tile for the scores and 4·VALUE_VECTORS value columns for the output, all sums in registers.
// Local memory, given by the host, as one driver counts its own twice: CHUNK depths of queries and keys, transposed; in the same place
// afterwards the weights [TILE_K][TILE_Q]; beside them CHUNK keys of values, or the items' parts of a reduction; and two flags.
// Edges: tiles of keys count from key 0, so that a row's sums are cut at the same keys beside any other rows. Keys that some query
// does not attend have weight −0 there, which changes no sum. Every zero is stored as +0. No work-item returns before the others:
// one without work has no keys.
// Source: Dao et al. 2022, arXiv 2205.14135, algorithm 1; Milakov and Gimelshein 2018, arXiv 1805.02867. Reference:
// AttentionReference.
#ifndef ITEMS_Q
#define ITEMS_Q 16 // work-items along the queries (4…32)
#endif
#ifndef ITEMS_C
#define ITEMS_C 16 // work-items along keys and columns (4…32)
#endif
#ifndef QUERY_VECTORS
#define QUERY_VECTORS 1 // fours of queries of a work-item (1…2): more use of each key and value, more registers
#endif
#ifndef KEY_VECTORS
#define KEY_VECTORS 1 // fours of keys of a work-item (1…2)
#endif
#ifndef VALUE_VECTORS
#define VALUE_VECTORS 1 // fours of value columns of a work-item (1…4): room for Dv
#endif
#ifndef CHUNK
#define CHUNK 16 // depths, and keys of values, that are in local memory at once (8…64)
#endif
#ifndef Q_STORAGE
#define Q_STORAGE f32 // storage of queries, keys and output: f32, f16, bf16
#endif
#ifndef V_STORAGE
#define V_STORAGE f32 // storage of values
#endif
#define LANES 4
#define LOGIT_UNIT 0x1.715476p+0f // log2 e
#define GROUP (ITEMS_Q * ITEMS_C)
#define TILE_Q (LANES * QUERY_VECTORS * ITEMS_Q)
#define TILE_K (LANES * KEY_VECTORS * ITEMS_C)
#define COLUMNS (LANES * VALUE_VECTORS * ITEMS_C)
#include "types.clh"
#include "problem.clh"
#include "exp2.clh"
#include "tanh.clh"
#include "logits.clh"
#include "exclusion.clh"
#include "stages.clh"
#pragma OPENCL FP_CONTRACT OFF

// Sums of products of one four of numbers with all queries of the item: Σ over its elements goes to sums[0 … 3].
#define ADD_PRODUCTS(sums, queries, four)                                                                             \
    _Pragma("unroll") for (int v = 0; v < QUERY_VECTORS; ++v) {                                                       \
        (sums)[0][v] = MULADD((queries)[v], (lanes)((four).s0), (sums)[0][v]);                                        \
        (sums)[1][v] = MULADD((queries)[v], (lanes)((four).s1), (sums)[1][v]);                                        \
        (sums)[2][v] = MULADD((queries)[v], (lanes)((four).s2), (sums)[2][v]);                                        \
        (sums)[3][v] = MULADD((queries)[v], (lanes)((four).s3), (sums)[3][v]);                                        \
    }

// s ← scores of the item's queries with its keys of the tile from `start` on.
inline void find_scores(
    global const uchar *q, global const uchar *k, global const int *blocks, const problem *p, const work *w, int start,
    int item, local lanes *qt, local lanes *kt, lanes s[LANES * KEY_VECTORS][QUERY_VECTORS]) {
    const int iq = item / ITEMS_C, ic = item - iq * ITEMS_C;
#pragma unroll
    for (int t = 0; t < LANES * KEY_VECTORS; ++t)
#pragma unroll
        for (int v = 0; v < QUERY_VECTORS; ++v)
            s[t][v] = (lanes)(0.0f);
    int depth = 0;
    do {
        // What was in local memory before has been read by all.
        barrier(CLK_LOCAL_MEM_FENCE);
        stage_queries(q, p, w, depth, item, (local float *)qt);
        stage_keys(k, blocks, p, w, start, depth, item, (local float *)kt);
        // Each item reads what others have brought.
        barrier(CLK_LOCAL_MEM_FENCE);
#pragma unroll 2
        for (int d = 0; d < CHUNK; ++d) {
            lanes queries[QUERY_VECTORS];
#pragma unroll
            for (int v = 0; v < QUERY_VECTORS; ++v)
                queries[v] = qt[d * Q_ROW + v * ITEMS_Q + iq];
#pragma unroll
            for (int u = 0; u < KEY_VECTORS; ++u) {
                const lanes keys = kt[d * K_ROW + u * ITEMS_C + ic];
                ADD_PRODUCTS(s + u * LANES, queries, keys)
            }
        }
        depth += CHUNK;
    } while (depth < p->depth);
}

// Softcap, mask and ALiBi, in place. Excluded keys are marked; best ← the largest attended one.
inline void find_logits(
    global const uchar *mask, float slope, const problem *p, const work *w, int start, int item,
    lanes s[LANES * KEY_VECTORS][QUERY_VECTORS], lanes best[QUERY_VECTORS]) {
    const int iq = item / ITEMS_C, ic = item - iq * ITEMS_C;
#pragma unroll
    for (int v = 0; v < QUERY_VECTORS; ++v) {
        query_lanes ql;
        find_lanes(p, w, v * ITEMS_Q + iq, &ql);
#pragma unroll
        for (int t = 0; t < LANES * KEY_VECTORS; ++t) {
            const int key = start + (t / LANES * ITEMS_C + ic) * LANES + t % LANES;
            lane_ints excluded;
            const lanes x = masked(
                soft_capped(s[t][v], p->softcap), key, p, w, v * ITEMS_Q + iq, mask, slope, &ql, &excluded);
            best[v] = select(x > best[v] ? x : best[v], best[v], excluded);
            const lane_ints kept = select((lane_ints)(QUIET_NAN), AS_INTS(x), x == x);
            s[t][v] = AS_LANES(select(kept, (lane_ints)(EXCLUDED), excluded));
        }
    }
}

// s ← weights, which go to local memory too; sum ← theirs.
inline void find_weights(
    bool is_mixed, int item, const lanes best[QUERY_VECTORS], lanes s[LANES * KEY_VECTORS][QUERY_VECTORS],
    local lanes *weights, lanes sum[QUERY_VECTORS]) {
    const int iq = item / ITEMS_C, ic = item - iq * ITEMS_C;
#pragma unroll
    for (int v = 0; v < QUERY_VECTORS; ++v) {
        sum[v] = (lanes)(0.0f);
#pragma unroll
        for (int t = 0; t < LANES * KEY_VECTORS; ++t) {
            lanes e = exp2_lanes(s[t][v] - best[v]);
            if (is_mixed)
                e = select(e, (lanes)(-0.0f), AS_INTS(s[t][v]) == EXCLUDED);
            weights[((t / LANES * ITEMS_C + ic) * LANES + t % LANES) * (TILE_Q / LANES) + v * ITEMS_Q + iq] = e;
            sum[v] += e;
        }
    }
}

// A NaN or infinite value reaches the rows that attend its key and no others: an excluded key's weight is −0.
inline lanes add_careful(lanes weight, float value, lanes sum) {
    if ((as_int(value) & 0x7F800000) == 0x7F800000)
        return select(sum + value, sum, AS_INTS(weight) < 0);
    return MULADD(weight, (lanes)(value), sum);
}

// o ← o + Σ weight·value over the tile's keys.
inline void add_values(
    global const uchar *v, global const int *blocks, const problem *p, const work *w, int start, int column, int item,
    local const lanes *weights, local lanes *values, local int *odd, int *turn, lanes o[LANES * VALUE_VECTORS][QUERY_VECTORS]) {
    const int iq = item / ITEMS_C, ic = item - iq * ITEMS_C;
    for (int at = 0; at < TILE_K; at += CHUNK) {
        // All weights are there, and what was in place of the values has been read.
        barrier(CLK_LOCAL_MEM_FENCE);
        // The flag that is not in use is cleared for the next chunk: all have read it.
        const int flag = (*turn)++ & 1;
        if (item == 0)
            odd[1 - flag] = 0;
        if (stage_values(v, blocks, p, w, start + at, column, item, values))
            atomic_or(&odd[flag], 1);
        // Each item reads values, and the flag, that others have brought.
        barrier(CLK_LOCAL_MEM_FENCE);
        if (odd[flag] == 0) {
#pragma unroll 2
            for (int t = 0; t < CHUNK; ++t) {
                lanes weight[QUERY_VECTORS];
#pragma unroll
                for (int i = 0; i < QUERY_VECTORS; ++i)
                    weight[i] = weights[(at + t) * (TILE_Q / LANES) + i * ITEMS_Q + iq];
#pragma unroll
                for (int c = 0; c < VALUE_VECTORS; ++c) {
                    const lanes value = values[t * (COLUMNS / LANES) + c * ITEMS_C + ic];
                    ADD_PRODUCTS(o + c * LANES, weight, value)
                }
            }
        } else {
#pragma unroll 1
            for (int t = 0; t < CHUNK; ++t)
#pragma unroll
                for (int i = 0; i < QUERY_VECTORS; ++i) {
                    const lanes weight = weights[(at + t) * (TILE_Q / LANES) + i * ITEMS_Q + iq];
#pragma unroll
                    for (int c = 0; c < VALUE_VECTORS; ++c) {
                        const lanes value = values[t * (COLUMNS / LANES) + c * ITEMS_C + ic];
                        o[c * LANES][i] = add_careful(weight, value.s0, o[c * LANES][i]);
                        o[c * LANES + 1][i] = add_careful(weight, value.s1, o[c * LANES + 1][i]);
                        o[c * LANES + 2][i] = add_careful(weight, value.s2, o[c * LANES + 2][i]);
                        o[c * LANES + 3][i] = add_careful(weight, value.s3, o[c * LANES + 3][i]);
                    }
                }
        }
    }
}

kernel __attribute__((reqd_work_group_size(GROUP, 1, 1))) void flash_tiled(
    global const uchar *q, global const uchar *k, global const uchar *v, global uchar *o,
    global float *lse, global const uchar *mask, global const float *slopes, global const float *sinks,
    global const segment *segments, global const int *blocks, local lanes *memory, const problem p) {
    local lanes *first_memory = memory, *second_memory = memory + FIRST_VECTORS;
    local int *odd = (local int *)(second_memory + SECOND_VECTORS);
    const int item = get_local_id(0), iq = item / ITEMS_C, ic = item - iq * ITEMS_C;
    const int tile = get_group_id(0) / p.key_blocks, column = (get_group_id(0) - tile * p.key_blocks) * COLUMNS;
    work w;
    if (!find_work(&p, segments, tile, get_group_id(1), get_group_id(2), &w))
        w.rows = w.low = w.high = 0;
    const float slope = slopes ? slopes[w.head] : 0.0f;
    const long position = (long)w.first + w.s.offset;
    const bool is_plain = !(HAS_MASK && p.mask_storage != STORAGE_none) && slope == 0.0f && !(p.softcap > 0.0f);
    const int low_all = is_plain ? range_low(&p, position + w.rows - 1) : INT_MAX;
    const int high_all = range_high(&p, &w.s, position);
    int turn = 0;
    if (item == 0)
        odd[0] = 0;
    lanes best[QUERY_VECTORS], sum[QUERY_VECTORS], out[LANES * VALUE_VECTORS][QUERY_VECTORS];
#pragma unroll
    for (int i = 0; i < QUERY_VECTORS; ++i) {
        best[i] = (lanes)(-FLT_MAX);
        sum[i] = (lanes)(0.0f);
#pragma unroll
        for (int c = 0; c < LANES * VALUE_VECTORS; ++c)
            out[c][i] = (lanes)(0.0f);
    }
    for (int start = w.low / TILE_K * TILE_K; start < w.high; start += TILE_K) {
        lanes s[LANES * KEY_VECTORS][QUERY_VECTORS], larger[QUERY_VECTORS], more[QUERY_VECTORS];
        find_scores(q, k, blocks, &p, &w, start, item, first_memory, first_memory + CHUNK * Q_ROW, s);
        const bool is_mixed = start < low_all || start + TILE_K > high_all;
#pragma unroll
        for (int i = 0; i < QUERY_VECTORS; ++i)
            larger[i] = best[i];
        if (is_mixed) {
            find_logits(mask, slope, &p, &w, start, item, s, larger);
        } else {
#pragma unroll
            for (int t = 0; t < LANES * KEY_VECTORS; ++t)
#pragma unroll
                for (int i = 0; i < QUERY_VECTORS; ++i)
                    larger[i] = s[t][i] > larger[i] ? s[t][i] : larger[i];
        }
        find_largest(item, second_memory, larger);
        find_weights(is_mixed, item, larger, s, first_memory, more);
#pragma unroll
        for (int i = 0; i < QUERY_VECTORS; ++i) {
            const lanes factor = exp2_lanes(best[i] - larger[i]);
            best[i] = larger[i];
            sum[i] = MULADD(sum[i], factor, more[i]);
#pragma unroll
            for (int c = 0; c < LANES * VALUE_VECTORS; ++c)
                out[c][i] *= factor;
        }
        add_values(v, blocks, &p, &w, start, column, item, first_memory, second_memory, odd, &turn, out);
    }
    find_sum(item, second_memory, sum);
    const float sink = sinks ? sinks[w.head] : -INFINITY;
#pragma unroll
    for (int i = 0; i < QUERY_VECTORS; ++i) {
        const int row = (i * ITEMS_Q + iq) * LANES;
        lanes logs;
        const lanes inverse = finish_lanes(best[i], sum[i], sink, &logs);
        write_rows(out, i, inverse, row, column + ic * LANES, &p, &w, o);
        if (lse && column == 0 && ic == 0)
            write_logs(logs, row, &p, &w, lse);
    }
}
