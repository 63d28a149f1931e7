// scores — batched QKᵀ, scaled: the first of the staged kernels.
//   s[j][i] = scale · Σ_d q[i][d]·k[j][d]
// Shapes (strides in elements): q [B,Hq,Lq,D]  k [B,Hkv,Lk,D] by any strides; s, the scratch, [tile][key][TILE_Q].
// Launch: global (tiles · key_blocks, heads, segments): one work-item owns TILE_Q queries, one a lane, and block_keys keys.
// Private: qᵀ [DEPTH_CHUNK][TILE_Q] and TILE_K keys [DEPTH_CHUNK], sized for the first-level cache; TILE_K × QUERY_VECTORS sums
// in registers. Depths beyond DEPTH_CHUNK take further passes, which go on with the sums in the scratch: the order of additions
// does not depend on the chunk. Scalar devices read operands as they are used, since private arrays are slow there.
// Edges: lanes without a query take the last one; keys that no query of the tile may attend are not computed.
// Source: Vaswani et al. 2017, arXiv 1706.03762, eq. 1. Reference: AttentionReference.
#ifndef QUERY_VECTORS
#define QUERY_VECTORS 2 // vectors of queries in a tile (1…4): more reuse of each key, more registers
#endif
#ifndef TILE_K
#define TILE_K 8 // keys in registers (2…12)
#endif
#ifndef DEPTH_CHUNK
#define DEPTH_CHUNK 128 // depths of a pass (16…256); a multiple of LANES
#endif
#include "types.clh"
#define TILE_Q (LANES * QUERY_VECTORS)
#include "problem.clh"
#include "rows.clh"
#include "blocks.clh"
#include "transpose.clh"

#if LANES > 1

// qᵀ: one lane a query.
inline void load_queries(global const uchar *q, const problem *p, const work *w, int depth, int count, float *qt) {
#pragma unroll 1
    for (int v = 0; v < QUERY_VECTORS; ++v) {
        // A vector without a query takes the last one.
        const int first = min(v * LANES, w->rows - 1);
        const long start = view_row(p->q, w->s.batch, w->head, w->s.query_start + w->first + first);
        for (int d = 0; d < count; d += LANES) {
            const int part = min(LANES, count - d);
            lanes x[LANES];
            load_square(
                p->q_storage, q, start + (depth + d) * p->q.column, p->q.row, p->q.column, w->rows - first, part, x);
            transpose(x);
            for (int i = 0; i < part; ++i)
                STORE_LANES(x[i], qt + (d + i) * TILE_Q + v * LANES);
        }
    }
}

// Keys key … key + TILE_K − 1 as float; those from w->high on are zeros.
inline void load_keys(
    global const uchar *k, const problem *p, const work *w, int key, int depth, int count, float *kt) {
    const long start = view_row(p->k, w->s.batch, w->head / p->group, w->s.key_start + key);
    const int present = min(TILE_K, w->high - key);
    copy_rows(
        p->q_storage, k, start + depth * p->k.column, p->k.row, p->k.column, present, count, kt, DEPTH_CHUNK);
    for (int i = present * DEPTH_CHUNK; i < TILE_K * DEPTH_CHUNK; i += LANES)
        STORE_LANES((lanes)(0.0f), kt + i);
}

inline void add_products(const float *qt, const float *kt, int count, lanes sum[TILE_K][QUERY_VECTORS]) {
    for (int d = 0; d < count; ++d) {
        lanes qd[QUERY_VECTORS];
#pragma unroll
        for (int v = 0; v < QUERY_VECTORS; ++v)
            qd[v] = LOAD_LANES(qt + d * TILE_Q + v * LANES);
#pragma unroll
        for (int t = 0; t < TILE_K; ++t)
#pragma unroll
            for (int v = 0; v < QUERY_VECTORS; ++v)
                sum[t][v] = MULADD(qd[v], (lanes)(kt[t * DEPTH_CHUNK + d]), sum[t][v]);
    }
}

inline void write_scores(
    global const uchar *q, global const uchar *k, global float *s, const problem *p, const work *w) {
    float qt[DEPTH_CHUNK * TILE_Q];
    float kt[TILE_K * DEPTH_CHUNK];
    for (int depth = 0; depth < p->depth; depth += DEPTH_CHUNK) {
        const int count = min(DEPTH_CHUNK, p->depth - depth);
        const float scale = depth + DEPTH_CHUNK < p->depth ? 1.0f : p->scale;
        load_queries(q, p, w, depth, count, qt);
        for (int key = w->low; key < w->high; key += TILE_K) {
            load_keys(k, p, w, key, depth, count, kt);
            lanes sum[TILE_K][QUERY_VECTORS];
#pragma unroll
            for (int t = 0; t < TILE_K; ++t)
#pragma unroll
                for (int v = 0; v < QUERY_VECTORS; ++v) {
                    sum[t][v] = (lanes)(0.0f);
                    if (depth > 0 && key + t < w->high)
                        sum[t][v] = LOAD_LANES(s + scratch_row(p, w, key + t) + v * LANES);
                }
            add_products(qt, kt, count, sum);
#pragma unroll
            for (int t = 0; t < TILE_K; ++t)
#pragma unroll
                for (int v = 0; v < QUERY_VECTORS; ++v)
                    if (key + t < w->high)
                        STORE_LANES(sum[t][v] * scale, s + scratch_row(p, w, key + t) + v * LANES);
        }
    }
}

#else

// Scalars are compiled for storages; vectors learn them from the problem.
#ifndef Q_STORAGE
#define Q_STORAGE f32 // storage of queries and keys: f32, f16, bf16
#endif
#define LOAD_Q(at, index) JOIN(load_, Q_STORAGE)((global const JOIN(Q_STORAGE, _storage) *)(at) + (index))

inline void write_scores(
    global const uchar *q, global const uchar *k, global float *s, const problem *p, const work *w) {
    long query[TILE_Q];
    for (int i = 0; i < TILE_Q; ++i)
        query[i] = view_row(p->q, w->s.batch, w->head, w->s.query_start + w->first + min(i, w->rows - 1));
    for (int key = w->low; key < w->high; key += TILE_K) {
        long row[TILE_K];
        float sum[TILE_K][TILE_Q];
        for (int t = 0; t < TILE_K; ++t) {
            row[t] = view_row(p->k, w->s.batch, w->head / p->group, w->s.key_start + min(key + t, w->high - 1));
            for (int i = 0; i < TILE_Q; ++i)
                sum[t][i] = 0.0f;
        }
        for (int d = 0; d < p->depth; ++d) {
            float qd[TILE_Q];
            for (int i = 0; i < TILE_Q; ++i)
                qd[i] = LOAD_Q(q, query[i] + d * p->q.column);
            for (int t = 0; t < TILE_K; ++t) {
                const float kd = LOAD_Q(k, row[t] + d * p->k.column);
                for (int i = 0; i < TILE_Q; ++i)
                    sum[t][i] = MULADD(qd[i], kd, sum[t][i]);
            }
        }
        for (int t = 0; t < TILE_K; ++t)
            for (int i = 0; i < TILE_Q; ++i)
                if (key + t < w->high)
                    s[scratch_row(p, w, key + t) + i] = sum[t][i] * p->scale;
    }
}

#endif

kernel void scores(
    global const uchar *q, global const uchar *k, global float *s, global const segment *segments,
    const problem p) {
    const int item = get_global_id(0), tile = item / p.key_blocks, block = item - tile * p.key_blocks;
    work w;
    if (!find_work(&p, segments, tile, get_global_id(1), get_global_id(2), &w))
        return;
    w.low = max(w.low, block * p.block_keys);
    w.high = min(w.high, (block + 1) * p.block_keys);
    write_scores(q, k, s, &p, &w);
}
