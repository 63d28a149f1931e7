// score_output — writes the scores that a call also returns, from the scratch of the staged kernels.
//   score_mode 0: scale·q·k   1: after softcap   2: after mask and ALiBi, −∞ where excluded   3: probabilities, 0 where excluded
// Shapes: s, the scratch, [tile][key][TILE_Q]: scaled scores for 0 to 2, exponentials for 3; out [B,Hq,Lq,Lk] by strides.
// Launch: global (tiles · QUERY_VECTORS, heads, segments), a work-item a vector of queries; for 0 to 2 before softmax, for 3
// after it.
// Edges: 0 and 1 show excluded pairs too and are 0 beyond the length; the host asks `scores` for all pairs then.
// Source: ONNX Attention, qk_matmul_output_mode. Reference: AttentionReference.
#ifndef QUERY_VECTORS
#define QUERY_VECTORS 2 // vectors of queries in a tile; as in scores
#endif
#include "types.clh"
#define TILE_Q (LANES * QUERY_VECTORS)
#include "problem.clh"
#include "exp2.clh"
#include "tanh.clh"
#include "logits.clh"
#include "rows.clh"
#include "blocks.clh"
#include "transpose.clh"

// What vector `v` of queries shows of one key.
inline lanes shown_scores(
    global const float *s, const problem *p, const work *w, int v, int key, lanes inverse, global const uchar *mask,
    float slope, const query_lanes *ql) {
    if (key < w->low || key >= w->high)
        return (lanes)(p->score_mode == 2 ? -INFINITY : 0.0f);
    const lanes t = LOAD_LANES(s + scratch_row(p, w, key) + v * LANES);
    if (p->score_mode == 0)
        return t;
    if (p->score_mode == 3)
        return select(t * inverse, (lanes)(0.0f), AS_INTS(t) < 0);
    const lanes capped = soft_capped(t, p->softcap);
    if (p->score_mode == 1)
        return capped;
    lane_ints excluded;
    const lanes logits = masked(capped, key, p, w, v, mask, slope, ql, &excluded);
    return select((lanes)(-INFINITY), logits, excluded == 0);
}

#if LANES > 1

// LANES keys at a time, so that rows of the output are written in whole vectors.
inline void write_shown(
    global const float *s, global uchar *out, const problem *p, const work *w, int v, lanes inverse,
    global const uchar *mask, float slope, const query_lanes *ql) {
    const long row = view_row(p->scores, w->s.batch, w->head, w->s.query_start + w->first + v * LANES);
    for (int key = 0; key < w->s.key_capacity; key += LANES) {
        const int count = min(LANES, w->s.key_capacity - key);
        lanes x[LANES];
        for (int i = 0; i < LANES; ++i)
            x[i] = i < count ? shown_scores(s, p, w, v, key + i, inverse, mask, slope, ql) : (lanes)(0.0f);
        transpose(x);
        write_square(
            p->q_storage, x, w->rows - v * LANES, count, out, row + (w->s.key_start + key) * p->scores.column,
            p->scores.row, p->scores.column);
    }
}

#else

// Scalars are compiled for storages; vectors learn them from the problem.
#ifndef Q_STORAGE
#define Q_STORAGE f32 // storage of the scores, that of the queries
#endif

inline void write_shown(
    global const float *s, global uchar *out, const problem *p, const work *w, int v, lanes inverse,
    global const uchar *mask, float slope, const query_lanes *ql) {
    const long row = view_row(p->scores, w->s.batch, w->head, w->s.query_start + w->first + v);
    for (int key = 0; key < w->s.key_capacity; ++key)
        JOIN(store_, Q_STORAGE)(
            shown_scores(s, p, w, v, key, inverse, mask, slope, ql),
            (global JOIN(Q_STORAGE, _storage) *)out + row + (w->s.key_start + key) * p->scores.column);
}

#endif

kernel void score_output(
    global const float *s, global const float *inverse_sum, global uchar *out, global const uchar *mask,
    global const float *slopes, global const segment *segments, const problem p) {
    const int item = get_global_id(0), tile = item / QUERY_VECTORS, v = item - tile * QUERY_VECTORS;
    work w;
    if (!find_work(&p, segments, tile, get_global_id(1), get_global_id(2), &w) || v * LANES >= w.rows)
        return;
    query_lanes ql;
    find_lanes(&p, &w, v, &ql);
    lanes inverse = (lanes)(0.0f);
    if (p.score_mode == 3)
        inverse = LOAD_LANES(inverse_sum + w.tile * TILE_Q + v * LANES);
    write_shown(s, out, &p, &w, v, inverse, mask, slopes ? slopes[w.head] : 0.0f, &ql);
}
