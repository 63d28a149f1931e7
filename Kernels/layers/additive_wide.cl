// additive_wide — additive attention for devices with wide vectors: scores, online softmax and weighted sum in one pass.
//   s_j = log2 e·Σ_a weight[a]·tanh(q[a] + k_j[a])   m' = max(m, max_j s_j)   p_j = 2^(s_j − m')   l' = l·2^(m − m') + Σ_j p_j
//   o' = o·2^(m − m') + Σ_j p_j·v_j     At the end o/l; probabilities p_j/l.
// Shapes (strides in elements): q [B,Lq,A]  k [B,Lk,A]  v [B,Lk,C]  o [B,Lq,C]  probabilities [B,Lq,Lk], rows without gaps;
// weight [A], lengths [B].
// Launch: global (Lq, B): one work-item owns a query. Lanes are the width, then keys, then columns: keys are read in place, and
// their sums over the width are made LANES at a time.
// Private: the scores of TILE_J keys.
// Edges: keys from lengths[b] on are not read; their probabilities are 0. A row without keys gives 0. A NaN or +∞ among a row's
// scores makes its l NaN and so its output. Logits wait for their l where the probabilities come.
// Source: Bahdanau et al. 2014, arXiv 1409.0473, appendix A.1.2; Milakov and Gimelshein 2018, arXiv 1805.02867. Reference:
// AttentionReference.
#ifndef TILE_J
#define TILE_J 64 // keys of a pass; part of the arithmetic (a multiple of 16)
#endif
#ifndef TILE_C
#define TILE_C 4 // vectors of columns in registers (1…8)
#endif
#include "types.clh"
#include "layer.clh"
#include "row_part.clh"
#include "transpose.clh"
#include "lane_sums.clh"
#include "exp2.clh"
#include "tanh.clh"
#pragma OPENCL FP_CONTRACT OFF
#define LOG2_E 0x1.715476p+0f

// Lane t is the score of key t of those from `k` on, `stride` apart; −∞ from `count` on.
inline lanes find_scores(
    global const float *q, global const float *k, long stride, global const float *weight, int width, int count) {
    lanes x[LANES];
#pragma unroll 1
    for (int t = 0; t < LANES; ++t) {
        lanes sum = (lanes)(0.0f);
        for (int a = 0; t < count && a < width; a += LANES) {
            const int part = min(LANES, width - a);
            const lanes z = tanh_lanes(row_part(q + a, part) + row_part(k + t * stride + a, part));
            sum = MULADD(row_part(weight + a, part), z, sum);
        }
        x[t] = sum;
    }
    const lanes s = lane_sums(x) * LOG2_E;
    return count < LANES ? select((lanes)(-INFINITY), s, LANE_NUMBERS < count) : s;
}

// o ← o·factor + Σ_j weights[j]·v_j for `vectors` vectors of columns, the last `part` wide; `is_first` starts from 0.
inline void add_columns(
    global const float *v, long stride, const float *weights, int count, int vectors, int part, bool is_first,
    float factor, global float *o) {
    lanes sum[TILE_C];
#pragma unroll
    for (int c = 0; c < TILE_C; ++c) {
        sum[c] = (lanes)(0.0f);
        if (c < vectors && !is_first)
            sum[c] = row_part(o + c * LANES, c == vectors - 1 ? part : LANES) * factor;
    }
    if (vectors == TILE_C && part == LANES) {
        for (int j = 0; j < count; ++j)
#pragma unroll
            for (int c = 0; c < TILE_C; ++c)
                sum[c] = MULADD((lanes)(weights[j]), load_lanes_f32(v + j * stride + c * LANES), sum[c]);
    } else {
        for (int j = 0; j < count; ++j)
#pragma unroll
            for (int c = 0; c < TILE_C; ++c)
                if (c < vectors)
                    sum[c] = MULADD(
                        (lanes)(weights[j]), row_part(v + j * stride + c * LANES, c == vectors - 1 ? part : LANES), sum[c]);
    }
#pragma unroll
    for (int c = 0; c < TILE_C; ++c)
        if (c < vectors)
            put_part(sum[c], c == vectors - 1 ? part : LANES, o + c * LANES);
}

inline void add_values(
    global const float *v, const additive_layer *p, const float *weights, int count, bool is_first, float factor,
    global float *o) {
    for (int c = 0; c < p->columns; c += TILE_C * LANES) {
        const int left = min(TILE_C * LANES, p->columns - c), vectors = (left + LANES - 1) / LANES;
        add_columns(
            v + c, p->v.row, weights, count, vectors, left - (vectors - 1) * LANES, is_first, factor, o + c);
    }
}

WIDE_KERNEL additive_wide(
    global const float *q, global const float *k, global const float *v, global const float *weight,
    global const int *lengths, global float *o, global float *probabilities, const additive_layer p) {
    float s[TILE_J];
    const int query = get_global_id(0), b = get_global_id(1), keys = lengths[b];
    q += head_row(p.q, b, 0, query);
    k += head_row(p.k, b, 0, 0);
    v += head_row(p.v, b, 0, 0);
    o += head_row(p.o, b, 0, query);
    if (probabilities)
        probabilities += head_row(p.probabilities, b, 0, query);
    float best = -FLT_MAX;
    lanes sum = (lanes)(0.0f);
    for (int start = 0; start < keys; start += TILE_J) {
        const int count = min(TILE_J, keys - start);
        lanes most = (lanes)(best);
        for (int j = 0; j < count; j += LANES) {
            const int part = min(LANES, count - j);
            const lanes t = find_scores(q, k + (start + j) * p.k.row, p.k.row, weight + p.weight, p.width, part);
            most = select(most, t, t > most);
            STORE_LANES(t, s + j);
            if (probabilities)
                put_part(t, part, probabilities + start + j);
        }
        const float largest = largest_lane(most);
        float factor[LANES];
        STORE_LANES(exp2_lanes((lanes)(best - largest)), factor);
        best = largest;
        sum *= factor[0];
        for (int j = 0; j < count; j += LANES) {
            const lanes e = exp2_lanes(LOAD_LANES(s + j) - best);
            STORE_LANES(e, s + j);
            sum += e;
        }
        add_values(v + start * p.v.row, &p, s, count, start == 0, factor[0], o);
    }
    const float total = sum_of_lanes(sum);
    for (int c = 0; c < p.columns; c += LANES) {
        const int part = min(LANES, p.columns - c);
        put_part(keys > 0 ? row_part(o + c, part) / total : (lanes)(0.0f), part, o + c);
    }
    for (int j = 0; probabilities && j < p.keys; j += LANES) {
        const int part = min(LANES, p.keys - j);
        lanes e = (lanes)(0.0f);
        if (j < keys)
            e = first_lanes(exp2_lanes(row_part(probabilities + j, min(part, keys - j)) - best) / total, min(part, keys - j));
        put_part(e, part, probabilities + j);
    }
}
