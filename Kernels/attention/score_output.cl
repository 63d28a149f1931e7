// score_output — writes the scores that a call also returns, from the scratch of the staged kernels.
//   SCORES 0: scale·q·k   1: after softcap   2: after mask and ALiBi, −∞ where excluded   3: probabilities, 0 where excluded
// Shapes: s, the scratch, [tile][key][TILE_Q]: scaled scores for 0 to 2, exponentials for 3; out [B,Hq,Lq,Lk] by strides.
// Launch: global (tiles · QUERY_VECTORS, heads, segments), a work-item a vector of queries; for 0 to 2 before softmax, for 3
// after it.
// Edges: 0 and 1 show excluded pairs too and are 0 beyond the length; the host asks `scores` for all pairs then.
// Source: ONNX Attention, qk_matmul_output_mode. Reference: AttentionReference.
#ifndef Q_STORAGE
#define Q_STORAGE f32 // storage of the scores, that of the queries
#endif
#ifndef QUERY_VECTORS
#define QUERY_VECTORS 2 // vectors of queries in a tile; as in scores
#endif
#ifndef SCORES
#define SCORES 0 // which scores (0…3)
#endif
#include "types.clh"
#define TILE_Q (LANES * QUERY_VECTORS)
#include "problem.clh"
#include "logits.clh"

typedef JOIN(Q_STORAGE, _storage) q_storage;

kernel void score_output(
    global const float *s, global const float *inverse_sum, global q_storage *out, global const uchar *mask,
    global const float *slopes, global const segment *segments, const problem p) {
    const int item = get_global_id(0), tile = item / QUERY_VECTORS, v = item - tile * QUERY_VECTORS;
    work w;
    if (!find_work(&p, segments, tile, get_global_id(1), get_global_id(2), &w))
        return;
    query_lanes ql;
    find_lanes(&p, &w, v, &ql);
#if SCORES == 3
    const lanes inverse = LOAD_LANES(inverse_sum + w.tile * TILE_Q + v * LANES);
#endif
    for (int key = 0; key < w.s.key_capacity; ++key) {
        const bool is_computed = key >= w.low && key < w.high;
        lanes t = (lanes)(0.0f);
        if (is_computed)
            t = LOAD_LANES(s + scratch_row(&p, &w, key) + v * LANES);
#if SCORES == 1
        t = soft_capped(t, p.softcap);
#elif SCORES == 2
        lane_ints excluded = (lane_ints)(-1);
        if (is_computed)
            t = masked(
                soft_capped(t, p.softcap), key, &p, &w, mask, slopes ? slopes[w.head] : 0.0f, &ql, &excluded);
        t = select((lanes)(-INFINITY), t, excluded == 0);
#elif SCORES == 3
        t = is_computed ? select(t * inverse, (lanes)(0.0f), AS_INTS(t) < 0) : t;
#endif
        float row[LANES];
        STORE_LANES(t, row);
        for (int i = 0; i < LANES && v * LANES + i < w.rows; ++i) {
            const long at = view_row(p.scores, w.s.batch, w.head, w.s.query_start + w.first + v * LANES + i);
            JOIN(store_, Q_STORAGE)(row[i], out + at + (w.s.key_start + key) * p.scores.column);
        }
    }
}
