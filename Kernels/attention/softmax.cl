// softmax — softcap, mask, ALiBi and the exponentials of the staged scores, in place: the second of the staged kernels.
//   t = logit(s[j])   m = max_j t   e[j] = e^(t − m)   inverse_sum = 1/(Σ_j e[j] + e^(sink − m))   lse = m + ln(1/inverse_sum)
// Shapes: s, the scratch, [tile][key][TILE_Q], scaled scores in and e out; inverse_sum [tile][TILE_Q]; lse [B,Hq,Lq].
// Launch: global (tiles · QUERY_VECTORS, heads, segments): one work-item owns one vector of queries; every reduction runs down
// the keys, none across lanes.
// Edges: the e of an excluded key is −0, which adds nothing to a sum and tells weighted_sum to look away from its value;
// attended ones are +0 or more. An empty row has inverse_sum 0 and lse −∞ or its sink. A NaN or +∞ among the attended
// scores makes inverse_sum and lse NaN; it is followed by integer flags, since drivers differ in arithmetic on infinities.
// Source: Milakov and Gimelshein 2018, arXiv 1805.02867 (safe softmax). Reference: AttentionReference.
#ifndef QUERY_VECTORS
#define QUERY_VECTORS 2 // vectors of queries in a tile; as in scores
#endif
#include "types.clh"
#define TILE_Q (LANES * QUERY_VECTORS)
#include "problem.clh"
#include "exp.clh"
#include "logits.clh"
#include "exclusion.clh"

#define INFINITE ((int)0x7F800000)

// Pass 1: logits in place. Gives the largest attended one, and the lanes that met NaN or +∞ (broken) or any key (found).
inline lanes write_logits(
    global float *s, global const uchar *mask, const problem *p, const work *w, int v, float slope,
    lane_ints *broken, lane_ints *found) {
    query_lanes ql;
    find_lanes(p, w, v, &ql);
    lanes best = (lanes)(-FLT_MAX);
    for (int key = w->low; key < w->high; ++key) {
        global float *at = s + scratch_row(p, w, key) + v * LANES;
        lane_ints excluded;
        const lanes t = masked(soft_capped(LOAD_LANES(at), p->softcap), key, p, w, v, mask, slope, &ql, &excluded);
        const lane_ints nan = (AS_INTS(t) & 0x7FFFFFFF) > INFINITE;
        const lane_ints attended = excluded == 0;
        *found |= attended;
        *broken |= attended & (nan | (AS_INTS(t) == INFINITE));
        best = select(best, fmax(best, t), attended);
        const lane_ints kept = select(AS_INTS(t), (lane_ints)(QUIET_NAN), nan);
        STORE_LANES(AS_LANES(select((lane_ints)(EXCLUDED), kept, attended)), at);
    }
    return best;
}

// Pass 2: exponentials in place. Gives their sum.
inline lanes write_exponentials(global float *s, const problem *p, const work *w, int v, lanes best) {
    lanes sum = (lanes)(0.0f);
    for (int key = w->low; key < w->high; ++key) {
        global float *at = s + scratch_row(p, w, key) + v * LANES;
        const lanes t = LOAD_LANES(at);
        const lanes e = select(exp_lanes(t - best), (lanes)(-0.0f), AS_INTS(t) == EXCLUDED);
        STORE_LANES(e, at);
        sum += e;
    }
    return sum;
}

kernel void softmax(
    global float *s, global float *inverse_sum, global float *lse, global const uchar *mask,
    global const float *slopes, global const float *sinks, global const segment *segments, const problem p) {
    const int item = get_global_id(0), tile = item / QUERY_VECTORS, v = item - tile * QUERY_VECTORS;
    work w;
    if (!find_work(&p, segments, tile, get_global_id(1), get_global_id(2), &w))
        return;
    const float slope = slopes ? slopes[w.head] : 0.0f;
    const float sink = sinks ? sinks[w.head] : -INFINITY;
    const int has_sink = as_int(sink) != (int)0xFF800000;
    lane_ints broken = (lane_ints)(0), found = (lane_ints)(0);
    lanes best = write_logits(s, mask, &p, &w, v, slope, &broken, &found);
    if (has_sink)
        best = fmax(best, (lanes)(sink));
    lanes sum = write_exponentials(s, &p, &w, v, best);
    if (has_sink)
        sum += exp_lanes((lanes)(sink) - best);
    lanes inverse = select((lanes)(0.0f), 1.0f / sum, found);
    inverse = AS_LANES(select(AS_INTS(inverse), (lane_ints)(QUIET_NAN), broken));
    STORE_LANES(inverse, inverse_sum + w.tile * TILE_Q + v * LANES);
    if (!lse)
        return;
    lanes l = best + log(sum);
    l = has_sink ? l : select((lanes)(-INFINITY), l, found);
    l = AS_LANES(select(AS_INTS(l), (lane_ints)(QUIET_NAN), broken));
    float row[LANES];
    STORE_LANES(l, row);
    for (int i = 0; i < LANES && v * LANES + i < w.rows; ++i)
        lse[view_row(p.lse, w.s.batch, w.head, w.s.query_start + w.first + v * LANES + i)] = row[i];
}
