// decode_split — few queries against many keys, by work-groups: bound by reading keys and values, each read once for ROWS rows.
//   For each chunk of ITEMS keys, counted from key 0:
//     s_j = q·k_j·scale·log2 e   best = max_j s_j   p_j = 2^(s_j − best)   sum = Σ_j p_j   o = Σ_j p_j·v_j
//   decode_merge joins the chunks of a row.
// Shapes (strides in elements): q [B,Hq,Lq,D]  k [B,Hkv,Lk,D]  v [B,Hkv,Lk,Dv], by any strides; with a table
// blocks [B][block_columns]: k [blocks,Hkv,2^block_shift,D], v alike. parts [segment][key head][row][chunk], see merge.clh.
// Launch: global (ITEMS · row blocks · key_blocks, key heads, segments), local (ITEMS, 1, 1): one work-group owns ROWS rows and a
// chunk of keys; rows are the queries of all heads that share a key head. TEAM items share a key's depths, 16 bytes each at a time;
// then an item has a key; then COLUMN_ITEMS items share a value's columns, and the others further keys.
// Local memory: products of each item, or sums of columns; DEPTHS depths of the queries; the weights.
// Edges: an excluded key has weight −0 and its value is not looked at; +0 times an infinite value is NaN, as good as infinite.
// A NaN or +∞ among a row's scores makes its sum NaN and so its output. A chunk that no row attends is the identity of a merge. No
// work-item returns before the others.
// Source: Dao et al. 2023, Flash-Decoding. Reference: AttentionReference.
#ifndef ITEMS
#define ITEMS 128 // work-items, and keys of a chunk, which are part of the arithmetic: a power of 2 (16…256)
#endif
#ifndef ROWS
#define ROWS 1 // rows of a work-group (1, 2, 4)
#endif
#ifndef COLUMN_ITEMS
#define COLUMN_ITEMS 16 // work-items along value columns, four each: a power of 2 up to ITEMS
#endif
#ifndef Q_STORAGE
#define Q_STORAGE f32 // storage of queries and keys: f32, f16, bf16
#endif
#ifndef V_STORAGE
#define V_STORAGE f32 // storage of values
#endif
#define LANES 4
#define LOGIT_UNIT 0x1.715476p+0f // log2 e
#define TEAM 4
#define DEPTHS 64
#define TILE_Q 1
// Every step becomes part of the kernel: a call would take registers.
#define inline inline __attribute__((always_inline))
#include "types.clh"
#include "problem.clh"
#include "exp2.clh"
#include "tanh.clh"
#include "logits.clh"
#include "exclusion.clh"
#include "fours.clh"
#include "registers.clh"
#include "sub_groups.clh"
#include "reduce.clh"
#include "merge.clh"
#pragma OPENCL FP_CONTRACT OFF

// What a work-group works on.
typedef struct {
    segment s;
    int key_head, first, count; // first of its rows, and how many there are
    int start, low, high;       // its first key; keys from `low` to `high` − 1 are attended by some row
} chunk_work;

inline int query_of(const problem *p, int row) { return row / p->group; }
inline int head_of(const problem *p, const chunk_work *w, int row) {
    return (w->key_head - row / p->group) * p->group + row;
}

// products[r][key][i] ← item i's part of q_r·k_key for all keys of the chunk.
inline void find_products(
    global const uchar *q, global const uchar *k, global const int *blocks, const problem *p, const chunk_work *w, int item,
    local float *qs, local float *products) {
    FORGET(item);
    const int member = item & (TEAM - 1), team = item / TEAM;
    const float scale = p->softcap > 0.0f ? p->scale : p->scale * LOGIT_UNIT;
    float sums[TEAM * ROWS];
#pragma unroll
    for (int i = 0; i < TEAM * ROWS; ++i)
        sums[i] = 0.0f;
    for (int depth = 0; depth < p->depth; depth += DEPTHS) {
        // The depths before these have been read by all.
        barrier(CLK_LOCAL_MEM_FENCE);
        for (int i = item; i < ROWS * DEPTHS / LANES; i += ITEMS) {
            const int r = i / (DEPTHS / LANES), d = depth + (i - r * (DEPTHS / LANES)) * LANES;
            lanes x = (lanes)(0.0f);
            if (r < w->count) {
                const int row = w->first + r;
                const long at = view_row(p->q, w->s.batch, head_of(p, w, row), w->s.query_start + query_of(p, row));
                x = scale * load_q(q, at + d * p->q.column, p->q.column, p->depth - d, p->aligned & ALIGNED_Q);
            }
            STORE_LANES(x, qs + i * LANES);
        }
        // Each item reads depths that others have brought.
        barrier(CLK_LOCAL_MEM_FENCE);
#pragma unroll
        for (int n = 0; n < TEAM; ++n) {
            const int key = w->start + n * (ITEMS / TEAM) + team;
            if (key >= w->low && key < w->high) {
                const long at = key_row(p, p->k, blocks, &w->s, w->key_head, key);
                for (int d = member * LANES; d < min(DEPTHS, p->depth - depth); d += TEAM * LANES) {
                    const lanes x = load_q(
                        k, at + (depth + d) * p->k.column, p->k.column, p->depth - depth - d, p->aligned & ALIGNED_K);
#pragma unroll
                    for (int r = 0; r < ROWS; ++r) {
                        const lanes y = LOAD_LANES(qs + r * DEPTHS + d);
                        float sum = MULADD(x.s0, y.s0, sums[n * ROWS + r]);
                        sum = MULADD(x.s1, y.s1, sum);
                        sum = MULADD(x.s2, y.s2, sum);
                        sums[n * ROWS + r] = MULADD(x.s3, y.s3, sum);
                    }
                }
            }
        }
    }
#pragma unroll
    for (int n = 0; n < TEAM; ++n)
#pragma unroll
        for (int r = 0; r < ROWS; ++r)
            products[(r * ITEMS + n * (ITEMS / TEAM) + team) * TEAM + member] = sums[n * ROWS + r];
}

// The logit of row `row` and a key; EXCLUDED if the key is not attended.
inline float find_logit(
    global const uchar *mask, global const float *slopes, const problem *p, const chunk_work *w, int row, int key, float s) {
    const int query = query_of(p, row), head = head_of(p, w, row);
    const long position = (long)query + w->s.offset;
    if (key < range_low(p, position) || key >= range_high(p, &w->s, position))
        return as_float(EXCLUDED);
    float x = p->softcap > 0.0f ? soft_capped((lanes)(s), p->softcap).s0 : s;
    const float slope = slopes ? slopes[head] : 0.0f;
    if (p->mask_storage != STORAGE_none) {
        const long at = view_row(p->mask, w->s.batch, head, w->s.query_start + query);
        const float m = mask_logit(p, mask, at + (w->s.key_start + key) * p->mask.column);
        if (as_int(m) == (int)0xFF800000)
            return as_float(EXCLUDED);
        x = MULADD(m, LOGIT_UNIT, x);
    }
    if (slope != 0.0f)
        x -= (slope * LOGIT_UNIT) * (float)abs(key - (int)position);
    return x == x ? x : as_float(QUIET_NAN);
}

// parts ← Σ_j p_j·v_j of each row.
inline void add_values(
    global const uchar *v, global const int *blocks, const problem *p, const chunk_work *w, int item,
    local const float *weights, local lanes *sums, global float *parts, long chunk) {
    FORGET(item);
    const int ic = item & (COLUMN_ITEMS - 1), ik = item / COLUMN_ITEMS;
    for (int column = 0; column < p->columns; column += COLUMN_ITEMS * LANES) {
        const int c = column + ic * LANES;
        lanes sum[ROWS];
#pragma unroll
        for (int r = 0; r < ROWS; ++r)
            sum[r] = (lanes)(0.0f);
        for (int j = ik; j < ITEMS; j += ITEMS / COLUMN_ITEMS) {
            const int key = w->start + j;
            if (key < w->low || key >= w->high || c >= p->columns)
                continue;
            const long at = key_row(p, p->v, blocks, &w->s, w->key_head, key);
            const lanes x = load_v(v, at + c * p->v.column, p->v.column, p->columns - c, p->aligned & ALIGNED_V);
#pragma unroll
            for (int r = 0; r < ROWS; ++r) {
                const float weight = weights[r * ITEMS + j];
                if (as_int(weight) != NOTHING)
                    sum[r] = MULADD((lanes)(weight), x, sum[r]);
            }
        }
        // What stood there, products or the columns before these, has been read by all.
        barrier(CLK_LOCAL_MEM_FENCE);
#pragma unroll
        for (int r = 0; r < ROWS; ++r)
            sums[r * ITEMS + item] = sum[r];
        // Each item adds up what others have found.
        barrier(CLK_LOCAL_MEM_FENCE);
        for (int i = item; i < ROWS * COLUMN_ITEMS; i += ITEMS) {
            const int r = i / COLUMN_ITEMS, four = i - r * COLUMN_ITEMS;
            lanes total = sums[r * ITEMS + four];
            for (int n = 1; n < ITEMS / COLUMN_ITEMS; ++n)
                total += sums[r * ITEMS + n * COLUMN_ITEMS + four];
            if (r < w->count && column + four * LANES < p->columns)
                *(global lanes *)(parts + part_place(p, w->key_head, get_global_id(2), w->first + r, chunk) + LANES
                                  + column + four * LANES) = total;
        }
    }
}

GROUP_KERNEL(ITEMS) decode_split(
    global const uchar *q, global const uchar *k, global const uchar *v, global const uchar *mask,
    global const float *slopes, global const segment *segments, global const int *blocks, global float *parts,
    const problem p) {
    local lanes products[ROWS * ITEMS * TEAM / LANES];
    local float qs[ROWS * DEPTHS], weights[ROWS * ITEMS], largest[ROWS];
    const int item = get_local_id(0), group = get_group_id(0), block = group / p.key_blocks;
    const int chunk = group - block * p.key_blocks;
    chunk_work w;
    w.s = segments[p.first_segment + get_group_id(2)];
    w.key_head = get_group_id(1);
    w.first = block * ROWS;
    w.count = min(ROWS, w.s.query_count * p.group - w.first);
    w.start = chunk * ITEMS;
    w.low = INT_MAX;
    w.high = 0;
    for (int r = 0; r < w.count; ++r) {
        const long position = (long)query_of(&p, w.first + r) + w.s.offset;
        w.low = min(w.low, range_low(&p, position));
        w.high = max(w.high, range_high(&p, &w.s, position));
    }
    // Rows and keys that are not there are nobody's work; their places still are, so that all meet at the same barriers.
    w.count = max(w.count, 0);
    find_products(q, k, blocks, &p, &w, item, qs, (local float *)products);
    // Each item reads products of its key that others have found.
    barrier(CLK_LOCAL_MEM_FENCE);
    float x[ROWS];
#pragma unroll
    for (int r = 0; r < ROWS; ++r) {
        local const float *own = (local const float *)(products + r * ITEMS + item);
        const float s = (own[0] + own[1]) + (own[2] + own[3]);
        x[r] = r < w.count ? find_logit(mask, slopes, &p, &w, w.first + r, w.start + item, s) : as_float(EXCLUDED);
        weights[r * ITEMS + item] = x[r] == x[r] ? x[r] : -FLT_MAX;
    }
    reduce(weights, item, true);
    float best[ROWS];
#pragma unroll
    for (int r = 0; r < ROWS; ++r)
        best[r] = weights[r * ITEMS];
    if (item < ROWS)
        largest[item] = weights[item * ITEMS];
    // The largest have been read by all: weights come in their place, and go to where the products were for their sum.
    barrier(CLK_LOCAL_MEM_FENCE);
    local float *total = (local float *)products;
#pragma unroll
    for (int r = 0; r < ROWS; ++r) {
        const float e = as_int(x[r]) == EXCLUDED ? -0.0f : exp2_lanes((lanes)(x[r] - best[r])).s0;
        weights[r * ITEMS + item] = e;
        total[r * ITEMS + item] = e;
    }
    reduce(total, item, false);
    if (item < w.count) {
        global float *at = parts + part_place(&p, w.key_head, get_global_id(2), w.first + item, chunk);
        at[0] = largest[item];
        at[1] = total[item * ITEMS] + 0.0f;
    }
    add_values(v, blocks, &p, &w, item, weights, products, parts, chunk);
}
