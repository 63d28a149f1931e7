// additive_tiled — additive attention by work-groups, for devices with local memory and narrow vectors: scores, online softmax
// and weighted sum in one pass.
//   s_j = log2 e·Σ_a weight[a]·tanh(q[a] + k_j[a])   m' = max(m, max_j s_j)   p_j = 2^(s_j − m')   l' = l·2^(m − m') + Σ_j p_j
//   o' = o·2^(m − m') + Σ_j p_j·v_j     At the end o/l; probabilities p_j/l.
// Shapes (strides in elements): q [B,Lq,A]  k [B,Lk,A]  v [B,Lk,C]  o [B,Lq,C]  probabilities [B,Lq,Lk], rows without gaps;
// weight [A], lengths [B].
// Launch: global (GROUP · ⌈Lq/LANES⌉, B), local (GROUP, 1): one work-group owns LANES queries, one a lane. An item has one key of
// a tile of GROUP keys, and every GROUP-th four of value columns.
// Local memory: CHUNK numbers of the queries and of the tile's keys, transposed, and of the weight; the tile's weights; a vector
// an item.
// Edges: missing queries ride along and are not stored; keys from lengths[b] on are not read, their probabilities are 0. A row
// without keys gives 0. A NaN or +∞ among a row's scores makes its l NaN and so its output. The output waits for its l in its own
// place, logits where the probabilities come: an item reads there what it wrote itself. No work-item returns before the others.
// Source: Bahdanau et al. 2014, arXiv 1409.0473, appendix A.1.2; Milakov and Gimelshein 2018, arXiv 1805.02867. Reference:
// AttentionReference.
#ifndef GROUP
#define GROUP 64 // work-items, and keys of a tile; part of the arithmetic (8…256, a power of 2)
#endif
#ifndef LANES
#define LANES 4 // queries of a work-group (1, 4)
#endif
#ifndef CHUNK
#define CHUNK 16 // numbers of the width that are in local memory at once (4…64)
#endif
// Every step becomes part of the kernel: a call would take registers.
#define inline inline __attribute__((always_inline))
#include "types.clh"
#include "layer.clh"
#include "exp2.clh"
#include "tanh.clh"
#include "registers.clh"
#pragma OPENCL FP_CONTRACT OFF
#define LOG2_E 0x1.715476p+0f
// Rows of transposed keys and queries, in floats: one more than they have, as powers of 2 apart share a bank.
#define K_ROW (GROUP + 1)
#define FOUR 4
#if LANES == 1
#define FIRST_LANE(x) (x)
#else
#define FIRST_LANE(x) (x).s0
#endif

// Transposed: memory[a][row] ← row `row` of `from`, numbers a … a + CHUNK − 1, zeros behind the width; the last row stands for
// those behind it.
inline void stage_rows(
    global const float *from, long stride, int rows, int present, int a, int width, int item, local float *memory, int pitch) {
    FORGET(item);
#pragma unroll 4
    for (int i = item; i < rows * CHUNK; i += GROUP) {
        const int row = i / CHUNK, n = i - row * CHUNK;
        memory[n * pitch + row] = a + n < width ? from[min(row, present - 1) * stride + a + n] : 0.0f;
    }
}

// The largest or the sum of all items' numbers, lane by lane, in a tree of one shape.
inline lanes reduced(lanes x, int item, bool finds_largest, local lanes *shared) {
    FORGET(item);
    // Nobody still reads what was there.
    barrier(CLK_LOCAL_MEM_FENCE);
    shared[item] = x;
    for (int n = GROUP / 2; n > 0; n /= 2) {
        // The numbers of this round are there.
        barrier(CLK_LOCAL_MEM_FENCE);
        if (item < n) {
            const lanes a = shared[item], b = shared[item + n];
            shared[item] = finds_largest ? (b > a ? b : a) : a + b;
        }
    }
    // All read the result.
    barrier(CLK_LOCAL_MEM_FENCE);
    return shared[0];
}

inline float lane_of(local const lanes *x, int lane) { return ((local const float *)x)[lane]; }

// Columns c … c + 3 of one query: o ← o·factor + Σ_j weights[j]·v_j, or o/total at the end. Fewer where the row ends.
inline float4 load_columns(global const float *from, int count) {
    if (count >= FOUR)
        return vload4(0, from);
    return (float4)(from[0], count > 1 ? from[1] : 0.0f, count > 2 ? from[2] : 0.0f, 0.0f);
}

inline void store_columns(float4 x, int count, global float *to) {
    if (count >= FOUR) {
        vstore4(x, 0, to);
        return;
    }
    to[0] = x.s0;
    if (count > 1)
        to[1] = x.s1;
    if (count > 2)
        to[2] = x.s2;
}

inline void add_values(
    global const float *v, const additive_layer *p, local const lanes *weights, int count, bool is_first,
    local const lanes *factor, int queries, int item, global float *o) {
    FORGET(item);
    for (int c = item * FOUR; c < p->columns; c += GROUP * FOUR) {
        const int part = p->columns - c;
        float4 sums[LANES];
#pragma unroll
        for (int i = 0; i < LANES; ++i)
            sums[i] = is_first || i >= queries ? (float4)(0.0f) : load_columns(o + i * p->o.row + c, part) * lane_of(factor, i);
#pragma unroll 2
        for (int j = 0; j < count; ++j) {
            const float4 value = load_columns(v + j * p->v.row + c, part);
#pragma unroll
            for (int i = 0; i < LANES; ++i) {
                const float weight = lane_of(weights + j, i);
                sums[i] = MULADD((float4)(weight), value, sums[i]);
            }
        }
#pragma unroll
        for (int i = 0; i < LANES; ++i)
            if (i < queries)
                store_columns(sums[i], part, o + i * p->o.row + c);
    }
}

GROUP_KERNEL(GROUP) additive_tiled(
    global const float *q, global const float *k, global const float *v, global const float *weight,
    global const int *lengths, global float *o, global float *probabilities, const additive_layer p) {
    local lanes qt[CHUNK], weights[GROUP], shared[GROUP], factors[1];
    local float kt[CHUNK * K_ROW], wt[CHUNK];
    const int item = get_local_id(0), b = get_group_id(1), first = get_group_id(0) * LANES;
    const int keys = lengths[b], queries = min(LANES, p.queries - first);
    q += head_row(p.q, b, 0, first);
    k += head_row(p.k, b, 0, 0);
    v += head_row(p.v, b, 0, 0);
    o += head_row(p.o, b, 0, first);
    if (probabilities)
        probabilities += head_row(p.probabilities, b, 0, first);
    lanes best = (lanes)(-FLT_MAX), sum = (lanes)(0.0f);
    for (int start = 0; start < keys; start += GROUP) {
        const int count = min(GROUP, keys - start);
        lanes s = (lanes)(0.0f);
        for (int a = 0; a < p.width; a += CHUNK) {
            // What was staged before has been read by all.
            barrier(CLK_LOCAL_MEM_FENCE);
            stage_rows(q, p.q.row, LANES, queries, a, p.width, item, (local float *)qt, LANES);
            stage_rows(k + start * p.k.row, p.k.row, GROUP, count, a, p.width, item, kt, K_ROW);
            for (int n = item; n < CHUNK; n += GROUP)
                wt[n] = a + n < p.width ? weight[p.weight + a + n] : 0.0f;
            // Each item reads what others have brought.
            barrier(CLK_LOCAL_MEM_FENCE);
            const int present = min(CHUNK, p.width - a);
#pragma unroll 1
            for (int n = 0; n < present; ++n)
                s = MULADD((lanes)(wt[n]), tanh_lanes(qt[n] + kt[n * K_ROW + item]), s);
        }
        s *= LOG2_E;
        s = item < count ? s : (lanes)(-INFINITY);
        // A NaN is never larger.
        const lanes most = reduced(s > best ? s : best, item, true, shared);
        if (probabilities && item < count) {
            weights[item] = s;
#pragma unroll 1
            for (int i = 0; i < queries; ++i)
                probabilities[i * p.probabilities.row + start + item] = lane_of(weights + item, i);
        }
        const lanes factor = exp2_lanes(best - most), e = exp2_lanes(s - most);
        best = most;
        sum = sum * factor + e;
        weights[item] = e;
        if (item == 0)
            factors[0] = factor;
        // All weights are there.
        barrier(CLK_LOCAL_MEM_FENCE);
        add_values(v + start * p.v.row, &p, weights, count, start == 0, factors, queries, item, o);
    }
    reduced(sum, item, false, shared);
    if (item == 0)
        factors[0] = best;
    // All read it.
    barrier(CLK_LOCAL_MEM_FENCE);
#pragma unroll 1
    for (int i = 0; i < queries; ++i) {
        const float l = lane_of(shared, i), largest = lane_of(factors, i);
        for (int c = item * FOUR; c < p.columns; c += GROUP * FOUR) {
            const int part = p.columns - c;
            global float *to = o + i * p.o.row + c;
            store_columns(keys > 0 ? load_columns(to, part) / l : (float4)(0.0f), part, to);
        }
        for (int j = item; probabilities && j < p.keys; j += GROUP) {
            global float *to = probabilities + i * p.probabilities.row + j;
            *to = j < keys ? FIRST_LANE(exp2_lanes((lanes)(*to - largest))) / l : 0.0f;
        }
    }
}
