// flash_wide — fused attention for devices with wide vectors: scores, online softmax and weighted sum in one pass over the keys.
//   s = q·k·scale·log2 e   m' = max(m, max_j s_j)   p_j = 2^(s_j − m')   l' = l·2^(m − m') + Σ_j p_j   o' = o·2^(m − m') + Σ_j p_j·v_j
//   At the end o/l, lse = m·ln 2 + ln l.
// Shapes (strides in elements): q [B,Hq,Lq,D]  k [B,Hkv,Lk,D]  v [B,Hkv,Lk,Dv]  o [B,Hq,Lq,Dv]  lse [B,Hq,Lq], by any strides.
// Launch: global (blocks, key heads, segments): one work-item owns block_tiles query tiles of the heads that share a key head, and
// reads their keys and values once, TILE_J at a time. One lane is one query, so that no reduction runs across lanes.
// Private: qᵀ and oᵀ of each tile; TILE_J keys and values as float, one tile's scores: sized for the caches. Sums in registers:
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
#include "logits.clh"
#include "rows.clh"
#include "transpose.clh"
#pragma OPENCL FP_CONTRACT OFF

#define EXCLUDED ((int)0xFFFFFFFF) // no arithmetic gives this NaN: NaN scores of mixed tiles are written as QUIET_NAN
#define QUIET_NAN ((int)0x7FC00000)

// One query tile on its way through the keys.
typedef struct {
    work w;
    int low_all, high_all; // keys that every query of the tile attends, but for a mask
    lanes best[QUERY_VECTORS], sum[QUERY_VECTORS];
    lanes qt[ROOM * QUERY_VECTORS];
    lanes ot[ROOM * QUERY_VECTORS];
} query_tile;

inline void start_tile(global const uchar *q, const problem *p, query_tile *tile) {
    const work *w = &tile->w;
    const long position = (long)w->first + w->s.offset;
    tile->low_all = range_low(p, position + w->rows - 1);
    tile->high_all = range_high(p, &w->s, position);
    const float scale = p->softcap > 0.0f ? p->scale : p->scale * LOGIT_UNIT;
#pragma unroll 1
    for (int v = 0; v < QUERY_VECTORS; ++v) {
        tile->best[v] = (lanes)(-FLT_MAX);
        tile->sum[v] = (lanes)(0.0f);
        for (int d = 0; d < p->depth; d += LANES) {
            const int count = min(LANES, p->depth - d);
            lanes x[LANES];
            for (int i = 0; i < LANES; ++i) {
                const long row = w->s.query_start + w->first + min(v * LANES + i, w->rows - 1);
                const long start = view_row(p->q, w->s.batch, w->head, row) + d * p->q.column;
                x[i] = load_part(p->q_storage, q, start, p->q.column, count);
            }
            transpose(x);
            for (int i = 0; i < count; ++i)
                tile->qt[(d + i) * QUERY_VECTORS + v] = x[i] * scale;
        }
    }
    for (int c = 0; c < ROOM * QUERY_VECTORS; ++c)
        tile->ot[c] = (lanes)(0.0f);
}

// s ← scores of `count` keys; best ← the largest.
inline void find_scores(
    const lanes *qt, const float *kt, int depth, int count, lanes *s, lanes best[QUERY_VECTORS]) {
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
                    sum[t][v] = MULADD(qd[v], (lanes)(kd[t * ROOM]), sum[t][v]);
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
        kt += TILE_K * ROOM;
        s += TILE_K * QUERY_VECTORS;
    }
}

// Softcap, mask and ALiBi, in place, for keys from … to − 1; best ← the largest attended one.
inline void find_logits(
    lanes *s, int from, int to, global const uchar *mask, float slope, const problem *p, const work *w,
    lanes best[QUERY_VECTORS]) {
#pragma unroll 1
    for (int v = 0; v < QUERY_VECTORS; ++v) {
        query_lanes ql;
        find_lanes(p, w, v, &ql);
        for (int key = from; key < to; ++key) {
            lanes *at = s + (key - from) * QUERY_VECTORS + v;
            lane_ints excluded;
            const lanes t = masked(soft_capped(*at, p->softcap), key, p, w, mask, slope, &ql, &excluded);
            best[v] = select(best[v], t > best[v] ? t : best[v], excluded == 0);
            const lane_ints kept = select((lane_ints)(QUIET_NAN), AS_INTS(t), t == t);
            *at = AS_LANES(select((lane_ints)(EXCLUDED), kept, excluded == 0));
        }
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

inline lanes add_finite(lanes weight, float value, lanes sum) { return MULADD(weight, (lanes)(value), sum); }

// A NaN or infinite value reaches the rows that attend its key and no others.
inline lanes add_careful(lanes weight, float value, lanes sum) {
    if ((as_int(value) & 0x7F800000) == 0x7F800000)
        return select(sum + value, sum, AS_INTS(weight) < 0);
    return MULADD(weight, (lanes)(value), sum);
}

// oᵀ ← oᵀ·factor + Σ weight·value, TILE_V columns at a time.
#define DEFINE_ADD_VALUES(name, add)                                                                                  \
    inline void name(                                                                                                 \
        const lanes *s, const float *vt, int columns, int count, const lanes factor[QUERY_VECTORS], lanes *ot) {      \
        for (int column = 0; column < columns; column += TILE_V) {                                                    \
            lanes sum[TILE_V][QUERY_VECTORS];                                                                         \
            _Pragma("unroll") for (int c = 0; c < TILE_V; ++c)                                                        \
                _Pragma("unroll") for (int v = 0; v < QUERY_VECTORS; ++v)                                             \
                    sum[c][v] = ot[c * QUERY_VECTORS + v] * factor[v];                                                \
            const lanes *weight = s;                                                                                  \
            const float *value = vt;                                                                                  \
            for (int t = 0; t < count; ++t) {                                                                         \
                _Pragma("unroll") for (int c = 0; c < TILE_V; ++c)                                                    \
                    _Pragma("unroll") for (int v = 0; v < QUERY_VECTORS; ++v)                                         \
                        sum[c][v] = add(weight[v], value[c], sum[c][v]);                                              \
                weight += QUERY_VECTORS;                                                                              \
                value += ROOM;                                                                                  \
            }                                                                                                         \
            _Pragma("unroll") for (int c = 0; c < TILE_V; ++c)                                                        \
                _Pragma("unroll") for (int v = 0; v < QUERY_VECTORS; ++v)                                             \
                    ot[c * QUERY_VECTORS + v] = sum[c][v];                                                            \
            ot += TILE_V * QUERY_VECTORS;                                                                             \
            vt += TILE_V;                                                                                             \
        }                                                                                                             \
    }
DEFINE_ADD_VALUES(add_values, add_finite)
DEFINE_ADD_VALUES(add_any_values, add_careful)

// Divides by the sum of the weights and the sink, and writes the tile.
inline void finish_tile(
    query_tile *tile, global uchar *o, global float *lse, float sink, const problem *p) {
    const work *w = &tile->w;
    const bool has_sink = as_int(sink) != (int)0xFF800000;
#pragma unroll 1
    for (int v = 0; v < QUERY_VECTORS; ++v) {
        lanes best = tile->best[v], sum = tile->sum[v], factor = (lanes)(1.0f);
        if (has_sink) {
            const lanes s = (lanes)(sink * LOGIT_UNIT), larger = s > best ? s : best;
            factor = exp2_lanes(best - larger);
            sum = MULADD(sum, factor, exp2_lanes(s - larger));
            best = larger;
        }
        // A row without keys has sum 0, or its sink's, and oᵀ 0.
        const lane_ints is_empty = sum == 0.0f;
        const lanes inverse = select(factor / sum, (lanes)(0.0f), is_empty);
        const lanes l = select(MULADD(best, (lanes)(0x1.62e430p-1f), log(sum)), (lanes)(-INFINITY), is_empty);
        float every_l[LANES];
        STORE_LANES(l, every_l);
        const int rows = min(LANES, w->rows - v * LANES);
        const long first = w->s.query_start + w->first + v * LANES;
        for (int c = 0; c < p->columns; c += LANES) {
            const int count = min(LANES, p->columns - c);
            lanes x[LANES];
            for (int i = 0; i < LANES; ++i)
                x[i] = tile->ot[(c + i) * QUERY_VECTORS + v] * inverse + 0.0f;
            transpose(x);
            for (int i = 0; i < rows; ++i)
                write_row(
                    p->q_storage, &x[i], count, p->o.column, o,
                    view_row(p->o, w->s.batch, w->head, first + i) + c * p->o.column);
        }
        for (int i = 0; lse && i < rows; ++i)
            lse[view_row(p->lse, w->s.batch, w->head, first + i)] = every_l[i];
    }
}

// Keys first … last − 1 and their values as float, at their places in the pass that begins with key `start`. True if all values
// are finite.
inline bool load_keys(
    global const uchar *k, global const uchar *v, const problem *p, const work *w, int start, int first, int last,
    float *kt, float *vt) {
    lane_ints odd = (lane_ints)(0);
    for (int key = first; key < last; ++key) {
        const long row = w->s.key_start + key, head = w->head / p->group;
        float *to = vt + (key - start) * ROOM;
        copy_row(
            p->q_storage, k, view_row(p->k, w->s.batch, head, row), p->k.column, p->depth, p->depth,
            kt + (key - start) * ROOM);
        copy_row(
            p->v_storage, v, view_row(p->v, w->s.batch, head, row), p->v.column, p->columns, p->columns, to);
        for (int c = 0; c < p->columns; c += LANES)
            odd |= (AS_INTS(LOAD_LANES(to + c)) & 0x7F800000) == 0x7F800000;
    }
    return !ANY_LANE(odd);
}

// One tile's share of a pass: keys from … to − 1.
inline void attend(
    query_tile *tile, const float *kt, const float *vt, int from, int to, bool is_finite, lanes *s,
    global const uchar *mask, float slope, const problem *p) {
    const bool is_mixed = HAS_MASK || slope != 0.0f || p->softcap > 0.0f || from < tile->low_all
        || to > tile->high_all;
    lanes best[QUERY_VECTORS], raw[QUERY_VECTORS], factor[QUERY_VECTORS], sum[QUERY_VECTORS];
#pragma unroll
    for (int v = 0; v < QUERY_VECTORS; ++v) {
        best[v] = raw[v] = tile->best[v];
        sum[v] = (lanes)(0.0f);
    }
    find_scores(tile->qt, kt, p->depth, to - from, s, raw);
    if (is_mixed) {
        find_logits(s, from, to, mask, slope, p, &tile->w, best);
        find_weights(s, to - from, true, best, sum);
    } else {
#pragma unroll
        for (int v = 0; v < QUERY_VECTORS; ++v)
            best[v] = raw[v];
        find_weights(s, to - from, false, best, sum);
    }
#pragma unroll
    for (int v = 0; v < QUERY_VECTORS; ++v) {
        factor[v] = exp2_lanes(tile->best[v] - best[v]);
        tile->best[v] = best[v];
        tile->sum[v] = MULADD(tile->sum[v], factor[v], sum[v]);
    }
    if (is_finite)
        add_values(s, vt, p->columns, to - from, factor, tile->ot);
    else
        add_any_values(s, vt, p->columns, to - from, factor, tile->ot);
}

WIDE_KERNEL flash_wide(
    global const uchar *q, global const uchar *k, global const uchar *v, global uchar *o,
    global float *lse, global const uchar *mask, global const float *slopes, global const float *sinks,
    global const segment *segments, const problem p) {
    query_tile tiles[BLOCK_TILES];
    lanes kt[(TILE_J + TILE_K) * ROOM / LANES], vt[TILE_J * ROOM / LANES];
    lanes s[TILE_J * QUERY_VECTORS];
    int count = 0, low = INT_MAX, high = 0;
    for (int i = 0; i < p.block_tiles; ++i) {
        // Heads that share keys come first, then the next queries: their keys are much the same.
        const int item = get_global_id(0) * p.block_tiles + i, tile = item / p.group, member = item - tile * p.group;
        query_tile *t = &tiles[count];
        if (!find_work(&p, segments, tile, get_global_id(1) * p.group + member, get_global_id(2), &t->w))
            continue;
        start_tile(q, &p, t);
        low = min(low, t->w.low);
        high = max(high, t->w.high);
        ++count;
    }
    if (count == 0)
        return;
    for (int i = 0; i < TILE_J * ROOM; i += LANES)
        STORE_LANES((lanes)(0.0f), (float *)vt + i);
    for (int start = low / TILE_J * TILE_J; start < high; start += TILE_J) {
        const int first = max(start, low), last = min(start + TILE_J, high);
        const bool is_finite = load_keys(k, v, &p, &tiles[0].w, start, first, last, (float *)kt, (float *)vt);
        for (int i = 0; i < count; ++i) {
            query_tile *t = &tiles[i];
            const int from = max(first, t->w.low), to = min(last, t->w.high);
            if (from < to)
                attend(
                    t, (float *)kt + (from - start) * ROOM, (float *)vt + (from - start) * ROOM, from, to, is_finite, s,
                    mask, slopes ? slopes[t->w.head] : 0.0f, &p);
        }
    }
    for (int i = 0; i < count; ++i)
        finish_tile(&tiles[i], o, lse, sinks ? sinks[tiles[i].w.head] : -INFINITY, &p);
}
