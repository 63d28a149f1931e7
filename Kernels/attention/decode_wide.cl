// decode_wide — few queries against many keys, for devices with wide vectors: bound by reading keys and values, each read once.
//   For each chunk of CHUNK_KEYS keys, counted from key 0:
//     s_j = q·k_j·scale·log2 e   best = max_j s_j   p_j = 2^(s_j − best)   sum = Σ_j p_j   o = Σ_j p_j·v_j
//   Chunks are merged in ascending order by their log-sum-exps: here, or by merge_wide where one row's chunks are dealt out.
// Shapes (strides in elements): q [B,Hq,Lq,D]  k [B,Hkv,Lk,D]  v [B,Hkv,Lk,Dv]  o [B,Hq,Lq,Dv]  lse [B,Hq,Lq], by any strides;
// with a table blocks [B][block_columns]: k [blocks,Hkv,2^block_shift,D], v alike.
// parts [row of a segment][chunk][2 + Dv filled up to vectors], or null where each work-item merges its own chunks.
// Launch: global (row blocks · block_tiles, key heads, segments): one work-item owns the chunks that are its turn, of BLOCK_ROWS
// rows; rows are the queries of all heads that share a key head. Lanes are depths, then keys, then value columns.
// Private: q and o of the rows; the scores of ROWS rows and a chunk.
// Edges: an excluded key has weight −0 and its value is not looked at. A NaN or +∞ among a row's scores makes its sum NaN and so
// its output. Every zero is stored as +0.
// Source: Dao et al. 2023, Flash-Decoding. Reference: AttentionReference.
#ifndef ROWS
#define ROWS 1 // rows that share a read of a key (1, 2 or 4)
#endif
#ifndef BLOCK_ROWS
#define BLOCK_ROWS 16 // rows of a work-item; a multiple of ROWS
#endif
#ifndef TILE_C
#define TILE_C 8 // vectors of value columns in registers (1…8): TILE_C × ROWS sums
#endif
#ifndef CHUNK_KEYS
#define CHUNK_KEYS 256 // keys of a chunk; part of the arithmetic (64…1024, a multiple of LANES)
#endif
#ifndef AHEAD
#define AHEAD 16 // keys that are asked for ahead of their turn (4…32)
#endif
#ifndef ROOM
#define ROOM 128 // room for D and Dv; a multiple of LANES
#endif
#define LOGIT_UNIT 0x1.715476p+0f // log2 e
#define TILE_Q 1
#include "types.clh"
#include "problem.clh"
#include "exp2.clh"
#include "tanh.clh"
#include "logits.clh"
#include "exclusion.clh"
#include "rows.clh"
#include "blocks.clh"
#include "merge.clh"
#include "finish.clh"
#include "transpose.clh"
#include "lane_sums.clh"
#include "row_weights.clh"
#pragma OPENCL FP_CONTRACT OFF
#define VECTORS (ROOM / LANES)
#define KEYS (LANES / ROWS) // keys whose products are summed together
// Q_STORAGE is that of queries and keys, V_STORAGE of values (f32, f16, bf16); the problem tells what is not defined.
#ifdef Q_STORAGE
#define STORAGE_OF_Q(p) JOIN(STORAGE_, Q_STORAGE)
#else
#define STORAGE_OF_Q(p) ((p)->q_storage)
#endif
#ifdef V_STORAGE
#define STORAGE_OF_V(p) JOIN(STORAGE_, V_STORAGE)
#else
#define STORAGE_OF_V(p) ((p)->v_storage)
#endif

// s[r][j] ← q_r·k_j for ROWS rows and keys from … to − 1 of a chunk, which are at `at`.
inline void find_scores(
    int storage, global const uchar *k, const long *at, const problem *p, int from, int to, const lanes *q, float *s) {
    const long column = p->k.column;
    const int whole = column == 1 ? p->depth / LANES * LANES : 0;
    for (int key = from / KEYS * KEYS; key < to; key += KEYS) {
        lanes x[LANES];
        for (int t = 0; t < KEYS; ++t) {
            const long row = at[clamp(key + t, from, to - 1)];
            global const uchar *ahead = k + at[key + t + AHEAD] * ELEMENT_BYTES(storage);
            lanes sum[ROWS];
#pragma unroll
            for (int r = 0; r < ROWS; ++r)
                sum[r] = (lanes)(0.0f);
            for (int d = 0; d < p->depth; d += LANES) {
                PREFETCH(ahead + d * ELEMENT_BYTES(storage));
                const lanes part = d < whole ? load_whole(storage, k, row + d)
                                             : load_some(storage, k, row + d * column, column, min(LANES, p->depth - d));
#pragma unroll
                for (int r = 0; r < ROWS; ++r)
                    sum[r] = MULADD(q[r * VECTORS + d / LANES], part, sum[r]);
            }
#pragma unroll
            for (int r = 0; r < ROWS; ++r)
                x[r * KEYS + t] = sum[r];
        }
        float sums[LANES];
        STORE_LANES(lane_sums(x), sums);
        for (int r = 0; r < ROWS; ++r)
            for (int t = 0; t < KEYS; ++t)
                s[r * CHUNK_KEYS + key + t] = sums[r * KEYS + t];
    }
}

// o[r] ← Σ_j s[r][j]·v_j for ROWS rows, `count` vectors of columns from `start` on, and keys from … to − 1, which are at `at`.
// A vector that is not whole (width < LANES) or not in one piece comes alone.
inline void add_columns(
    int storage, global const uchar *v, const long *at, long start, long column, int count, int width, int from, int to,
    bool is_mixed, const float *s, lanes *o) {
    lanes sum[ROWS][TILE_C], x[TILE_C];
#pragma unroll
    for (int r = 0; r < ROWS; ++r)
#pragma unroll
        for (int c = 0; c < TILE_C; ++c)
            sum[r][c] = (lanes)(0.0f);
    for (int key = from; key < to; ++key) {
        const long row = at[key] + start;
        global const uchar *ahead = v + (at[key + AHEAD] + start) * ELEMENT_BYTES(storage);
        if (count < TILE_C) {
            x[0] = load_some(storage, v, row, column, width);
        } else {
#pragma unroll
            for (int c = 0; c < TILE_C; ++c) {
                PREFETCH(ahead + c * LANES * ELEMENT_BYTES(storage));
                x[c] = load_whole(storage, v, row + c * LANES);
            }
        }
#pragma unroll
        for (int r = 0; r < ROWS; ++r) {
            const float weight = s[r * CHUNK_KEYS + key];
            if (is_mixed && as_int(weight) == NOTHING)
                continue;
            if (count < TILE_C) {
                sum[r][0] = MULADD((lanes)(weight), x[0], sum[r][0]);
            } else {
#pragma unroll
                for (int c = 0; c < TILE_C; ++c)
                    sum[r][c] = MULADD((lanes)(weight), x[c], sum[r][c]);
            }
        }
    }
#pragma unroll
    for (int r = 0; r < ROWS; ++r)
#pragma unroll
        for (int c = 0; c < TILE_C; ++c)
            if (c < count)
                o[r * VECTORS + c] = sum[r][c];
}

inline void add_values(
    int storage, global const uchar *v, const long *at, const problem *p, int from, int to, bool is_mixed,
    const float *s, lanes *o) {
    const long column = p->v.column;
    int c = 0;
    for (; column == 1 && c + TILE_C * LANES <= p->columns; c += TILE_C * LANES)
        add_columns(storage, v, at, c, 1, TILE_C, LANES, from, to, is_mixed, s, o + c / LANES);
    for (; c < p->columns; c += LANES)
        add_columns(
            storage, v, at, c * column, column, 1, min(LANES, p->columns - c), from, to, is_mixed, s, o + c / LANES);
}

inline void load_query(global const uchar *q, const problem *p, const segment *seg, const row_state *row, lanes *to) {
    const long start = view_row(p->q, seg->batch, row->head, seg->query_start + row->query);
    const float scale = p->softcap > 0.0f ? p->scale : p->scale * LOGIT_UNIT;
    for (int d = 0; d < p->depth; d += LANES) {
        const int count = min(LANES, p->depth - d);
        to[d / LANES] = load_some(STORAGE_OF_Q(p), q, start + d * p->q.column, p->q.column, count) * scale;
    }
}

WIDE_KERNEL decode_wide(
    global const uchar *q, global const uchar *k, global const uchar *v, global uchar *o,
    global float *lse, global const uchar *mask, global const float *slopes, global const float *sinks,
    global const segment *segments, global const int *blocks, global float *parts, const problem p) {
    row_state rows[BLOCK_ROWS];
    PRIVATE(lanes, qs, BLOCK_ROWS * VECTORS);
    PRIVATE(lanes, all, BLOCK_ROWS * VECTORS);
    PRIVATE(lanes, some, ROWS * VECTORS);
    lanes weights[ROWS * CHUNK_KEYS / LANES];
    float *s = (float *)weights;
    const int item = get_global_id(0), block = item / p.block_tiles, turn = item - block * p.block_tiles;
    const segment seg = segments[p.first_segment + get_global_id(2)];
    const int key_head = get_global_id(1), first = block * BLOCK_ROWS;
    const int count = min(BLOCK_ROWS, seg.query_count * p.group - first);
    if (count <= 0)
        return;
    const int vectors = (p.columns + LANES - 1) / LANES;
    // Scores are looked at in whole vectors, also where no key has one.
    for (int i = 0; i < ROWS * CHUNK_KEYS; i += LANES)
        STORE_LANES((lanes)(0.0f), s + i);
    int low = INT_MAX, high = 0;
    for (int i = 0; i < count; ++i) {
        row_state *row = &rows[i];
        row->query = (first + i) / p.group;
        row->head = key_head * p.group + (first + i - row->query * p.group);
        row->low = range_low(&p, (long)row->query + seg.offset);
        row->high = range_high(&p, &seg, (long)row->query + seg.offset);
        low = min(low, row->low);
        high = max(high, row->high);
        row->all = (partial){-FLT_MAX, 0.0f};
        for (int c = 0; c < VECTORS; ++c)
            all[i * VECTORS + c] = (lanes)(0.0f);
    }
    for (int i = 0; i < count + ROWS - 1; ++i)
        if (i < BLOCK_ROWS)
            load_query(q, &p, &seg, &rows[min(i, count - 1)], qs + i * VECTORS);
    // Chunks are dealt out in turns; those that no row attends are somebody else's to leave out, too.
    for (int chunk = turn; chunk < p.key_blocks; chunk += p.block_tiles) {
        const int start = chunk * CHUNK_KEYS;
        const int from = max(low - start, 0), to = min(high - start, CHUNK_KEYS);
        long keys[CHUNK_KEYS + AHEAD], values[CHUNK_KEYS + AHEAD];
        if (from < to) {
            // Keys are taken KEYS at a time, so that up to LANES − 1 behind the last have a turn; and some are asked for ahead.
            const int places = min(high - start + LANES, CHUNK_KEYS) + AHEAD;
            find_places(&p, p.k, blocks, &seg, key_head, start, high, places, keys);
            find_places(&p, p.v, blocks, &seg, key_head, start, high, places, values);
        }
        for (int i = 0; i < count; i += ROWS) {
            partial part[ROWS];
            bool is_mixed = false;
            if (from < to) {
#define FIND_SCORES(T) find_scores(STORAGE_##T, k, keys, &p, from, to, qs + i * VECTORS, s)
                WITH_STORAGE(STORAGE_OF_Q(&p), FIND_SCORES)
                for (int r = 0; r < ROWS; ++r) {
                    const row_state *row = &rows[min(i + r, count - 1)];
                    part[r] = find_weights(
                        s + r * CHUNK_KEYS, start, from, to, row, mask, slopes ? slopes[row->head] : 0.0f, &p, &seg,
                        &is_mixed);
                }
#define ADD_VALUES(T) add_values(STORAGE_##T, v, values, &p, from, to, is_mixed, s, some)
                WITH_STORAGE(STORAGE_OF_V(&p), ADD_VALUES)
            } else {
                for (int r = 0; r < ROWS; ++r)
                    part[r] = (partial){-FLT_MAX, 0.0f};
                for (int c = 0; c < ROWS * VECTORS; ++c)
                    some[c] = (lanes)(0.0f);
            }
            for (int r = 0; r < ROWS && i + r < count; ++r) {
                if (parts)
                    write_part(parts, &p, key_head, get_global_id(2), first + i + r, chunk, part[r], some + r * VECTORS);
                else if (from < to)
                    merge(&rows[i + r].all, all + (i + r) * VECTORS, part[r], some + r * VECTORS, vectors);
            }
        }
    }
    for (int i = 0; i < count && !parts; ++i)
        finish_row(
            rows[i].all, all + i * VECTORS, sinks ? sinks[rows[i].head] : -INFINITY, &p, seg.batch, rows[i].head,
            seg.query_start + rows[i].query, o, lse);
}
