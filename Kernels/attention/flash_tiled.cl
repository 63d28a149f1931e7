// flash_tiled — fused attention by work-group tiles, for devices with local memory and narrow vectors: scores, online softmax and
// weighted sum in one pass over the keys.
//   s_j = q·k_j·scale·log2 e   m' = max(m, max_j s_j)   p_j = 2^(s_j − m')   l' = l·2^(m − m') + Σ_j p_j   o' = o·2^(m − m') + Σ_j p_j·v_j
//   At the end o/l, lse = m·ln 2 + ln l.
// Shapes (strides in elements): q [B,Hq,Lq,D]  k [B,Hkv,Lk,D]  v [B,Hkv,Lk,Dv]  o [B,Hq,Lq,Dv]  lse [B,Hq,Lq], by any strides;
// with a table blocks [B][block_columns]: k [blocks,Hkv,2^block_shift,D], v alike.
// Launch: global (GROUP · tiles · key_blocks, heads, segments), local (GROUP, 1, 1): one work-group owns TILE_Q queries and one of
// key_blocks blocks of COLUMNS value columns. Items stand in ITEMS_Q rows and ITEMS_C columns; one has 4·QUERY_VECTORS queries, with
// 4·KEY_VECTORS keys of a tile for the scores and 4·VALUE_VECTORS value columns for the output, all sums in registers.
// Local memory, given by the host, as one driver counts its own twice: twice CHUNK depths of queries and keys, transposed, of which
// one half is read while the other is filled; in the same place afterwards what is added to the scores, then the weights
// [TILE_K][TILE_Q], and at the end the output; beside them twice CHUNK keys of values, or the items' parts of a reduction; three flags.
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
#define CHUNK 8 // depths, and keys of values, that are in local memory at once (4…64)
#endif
#ifndef Q_STORAGE
#define Q_STORAGE f32 // storage of queries, keys and output: f32, f16, bf16
#endif
#ifndef V_STORAGE
#define V_STORAGE f32 // storage of values
#endif
#ifndef HAS_HALF_PRODUCTS
#define HAS_HALF_PRODUCTS 0 // 1: products in half, for precision .fast (terms.clh); CHUNK is 8 at most then
#endif
#define LANES 4
#define LOGIT_UNIT 0x1.715476p+0f // log2 e
#define GROUP (ITEMS_Q * ITEMS_C)
#define TILE_Q (LANES * QUERY_VECTORS * ITEMS_Q)
#define TILE_K (LANES * KEY_VECTORS * ITEMS_C)
#define COLUMNS (LANES * VALUE_VECTORS * ITEMS_C)
// Every step becomes part of the kernel: a call would take registers.
#define inline inline __attribute__((always_inline))
#include "types.clh"
#include "terms.clh"
#include "problem.clh"
#include "exp2.clh"
#include "tanh.clh"
#include "logits.clh"
#include "exclusion.clh"
#include "fours.clh"
#include "registers.clh"
#include "stages.clh"
#include "sub_groups.clh"
#include "tile_rows.clh"
#include "tile_scores.clh"
#include "tile_values.clh"
#pragma OPENCL FP_CONTRACT OFF

// Softcap, and what stage_shifts has found, in place. Excluded keys are marked; best ← the largest attended one.
inline void find_logits(
    const problem *p, int item, local const float *shifts, lanes s[LANES * KEY_VECTORS * QUERY_VECTORS],
    lanes best[QUERY_VECTORS]) {
    FORGET(item);
    const int iq = item / ITEMS_C, ic = item - iq * ITEMS_C;
    float softcap = p->softcap;
    int quiet_nan = QUIET_NAN;
    FORGET_FLOAT(softcap);
    FORGET(quiet_nan);
    if (p->softcap > 0.0f)
#pragma unroll
        for (int t = 0; t < LANES * KEY_VECTORS * QUERY_VECTORS; ++t) {
            s[t] = soft_capped(s[t], softcap);
            SETTLE(s[t]);
        }
#pragma unroll
    for (int t = 0; t < LANES * KEY_VECTORS; ++t)
#pragma unroll
        for (int v = 0; v < QUERY_VECTORS; ++v) {
            const lanes shift = LOAD_LANES(
                shifts + ((t / LANES * ITEMS_C + ic) * LANES + t % LANES) * SHIFT_ROW + (v * ITEMS_Q + iq) * LANES);
            const lane_ints excluded = AS_INTS(shift) == EXCLUDED;
            const lanes x = s[t * QUERY_VECTORS + v] + shift;
            // An excluded key's is NaN, which is never larger.
            best[v] = x > best[v] ? x : best[v];
            const lane_ints kept = select((lane_ints)(quiet_nan), AS_INTS(x), x == x);
            s[t * QUERY_VECTORS + v] = AS_LANES(select(kept, (lane_ints)(EXCLUDED), excluded));
        }
}

// s ← weights, which go to local memory too; sum ← sum + theirs.
inline void find_weights(
    bool is_mixed, int item, const lanes best[QUERY_VECTORS], lanes s[LANES * KEY_VECTORS * QUERY_VECTORS],
    local terms *weights, lanes sum[QUERY_VECTORS]) {
    float nothing = -0.0f;
    FORGET(item);
    FORGET_FLOAT(nothing);
    const int iq = item / ITEMS_C, ic = item - iq * ITEMS_C;
#pragma unroll
    for (int t = 0; t < LANES * KEY_VECTORS; ++t)
#pragma unroll
        for (int v = 0; v < QUERY_VECTORS; ++v) {
            const lanes x = s[t * QUERY_VECTORS + v];
            lanes e = exp2_lanes(x - best[v]);
            if (is_mixed)
                e = select(e, (lanes)(nothing), AS_INTS(x) == EXCLUDED);
            weights[((t / LANES * ITEMS_C + ic) * LANES + t % LANES) * (TILE_Q / LANES) + v * ITEMS_Q + iq] = AS_TERMS(e);
            sum[v] += e;
        }
#pragma unroll
    for (int v = 0; v < QUERY_VECTORS; ++v)
        SETTLE(sum[v]);
}

GROUP_KERNEL(GROUP) flash_tiled(
    global const uchar *q, global const uchar *k, global const uchar *v, global uchar *o,
    global float *lse, global const uchar *mask, global const float *slopes, global const float *sinks,
    global const segment *segments, global const int *blocks, const problem p) {
    local lanes first_memory[FIRST_VECTORS], second_memory[SECOND_VECTORS];
    local int odd[3];
    const int item = get_local_id(0), iq = item / ITEMS_C, ic = item - iq * ITEMS_C;
    const int tile = get_group_id(0) / p.key_blocks, column = (get_group_id(0) - tile * p.key_blocks) * COLUMNS;
    work w;
    if (!find_work(&p, segments, tile, get_group_id(1), get_group_id(2), &w))
        w.rows = w.low = w.high = 0;
    w.rows = UNIFORM(w.rows);
    w.low = UNIFORM(w.low);
    w.high = UNIFORM(w.high);
    const float slope = as_float(UNIFORM(as_int(slopes ? slopes[w.head] : 0.0f)));
    const long position = (long)w.first + w.s.offset;
    const bool is_plain = !(HAS_MASK && p.mask_storage != STORAGE_none) && slope == 0.0f && !(p.softcap > 0.0f);
    const int low_all = is_plain ? UNIFORM(range_low(&p, position + w.rows - 1)) : INT_MAX;
    const int high_all = UNIFORM(range_high(&p, &w.s, position));
    lanes best[QUERY_VECTORS], sum[QUERY_VECTORS], out[LANES * VALUE_VECTORS * QUERY_VECTORS];
#pragma unroll
    for (int i = 0; i < QUERY_VECTORS; ++i) {
        best[i] = (lanes)(-FLT_MAX);
        sum[i] = (lanes)(0.0f);
    }
#pragma unroll
    for (int c = 0; c < LANES * VALUE_VECTORS * QUERY_VECTORS; ++c)
        out[c] = (lanes)(0.0f);
    for (int start = w.low / TILE_K * TILE_K; start < w.high; start += TILE_K) {
        lanes s[LANES * KEY_VECTORS * QUERY_VECTORS], larger[QUERY_VECTORS];
        const bool is_mixed = start < low_all || start + TILE_K > high_all;
        find_scores(q, k, blocks, &p, &w, start, item, (local terms *)first_memory, s);
        // Queries and keys have been read by all: shifts come in their place.
        barrier(CLK_LOCAL_MEM_FENCE);
        if (is_mixed)
            stage_shifts(mask, slope, &p, &w, start, item, (local float *)first_memory);
        // All flags are set in the loop over values, which all have left.
        if (item == 0) {
            int none = 0;
            FORGET(none);
            odd[0] = odd[1] = odd[2] = none;
        }
        // Each item reads shifts that others have found.
        barrier(CLK_LOCAL_MEM_FENCE);
#pragma unroll
        for (int i = 0; i < QUERY_VECTORS; ++i)
            larger[i] = best[i];
        if (is_mixed) {
            find_logits(&p, item, (local const float *)first_memory, s, larger);
        } else {
#pragma unroll
            for (int t = 0; t < LANES * KEY_VECTORS; ++t)
#pragma unroll
                for (int i = 0; i < QUERY_VECTORS; ++i) {
                    const lanes x = s[t * QUERY_VECTORS + i];
                    larger[i] = x > larger[i] ? x : larger[i];
                }
        }
        find_largest(item, second_memory, larger);
#pragma unroll
        for (int i = 0; i < QUERY_VECTORS; ++i) {
            const lanes factor = exp2_lanes(best[i] - larger[i]);
            best[i] = larger[i];
            sum[i] *= factor;
#pragma unroll
            for (int c = 0; c < LANES * VALUE_VECTORS; ++c)
                out[c * QUERY_VECTORS + i] *= factor;
        }
        local terms *weights = (local terms *)first_memory, *values = (local terms *)second_memory;
        find_weights(is_mixed, item, best, s, weights, sum);
        add_values(v, blocks, &p, &w, start, column, item, weights, values, odd, out);
    }
    find_sum(item, second_memory, sum);
    const float sink = sinks ? sinks[w.head] : -INFINITY;
    lanes inverse[QUERY_VECTORS];
#pragma unroll
    for (int i = 0; i < QUERY_VECTORS; ++i) {
        lanes logs;
        inverse[i] = finish_lanes(best[i], sum[i], sink, &logs);
        if (lse && column == 0 && ic == 0)
            write_logs(logs, (i * ITEMS_Q + iq) * LANES, &p, &w, lse);
    }
    write_rows(out, inverse, column, item, &p, &w, first_memory, o);
}
