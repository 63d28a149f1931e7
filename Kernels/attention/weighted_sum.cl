// weighted_sum — the values weighted by the staged exponentials: the third of the staged kernels.
//   o[i][c] = inverse_sum[i] · Σ_j e[j][i]·v[j][c]
// Shapes (strides in elements): e, the scratch, [tile][key][TILE_Q]; v [B,Hkv,Lk,Dv] and o [B,Hq,Lq,Dv] by any strides.
// Launch: global (tiles · column blocks, heads, segments). With vectors there is one block, and a work-item walks its columns a
// chunk at a time; scalar work-items own TILE_V columns each.
// Private: oᵀ [COLUMN_CHUNK][TILE_Q] and TILE_J values [COLUMN_CHUNK], sized for the first-level cache; TILE_V × QUERY_VECTORS
// sums in registers, which stay there for TILE_J keys. Scalar devices read values as they are used.
// Edges: a value that is NaN or infinite must not reach the rows that exclude its key, not even as 0·NaN, though other rows of
// the tile attend it. Tiles that hold such a value take `add_any`, which gives the finite ones the same bits.
// Every zero is stored as +0, since skipping an excluded key and adding ±0 for it may differ in the sign of zero.
// Source: Vaswani et al. 2017, arXiv 1706.03762, eq. 1. Reference: AttentionReference.
#ifndef QUERY_VECTORS
#define QUERY_VECTORS 2 // vectors of queries in a tile; as in scores
#endif
#ifndef TILE_V
#define TILE_V 8 // columns in registers (4…12)
#endif
#ifndef TILE_J
#define TILE_J 32 // keys of a pass (1…64); their values are looked through for NaN and infinities together
#endif
#ifndef COLUMN_CHUNK
#define COLUMN_CHUNK 64 // columns of a pass; a multiple of TILE_V and of LANES
#endif
#include "types.clh"
#define TILE_Q (LANES * QUERY_VECTORS)
#include "problem.clh"
#include "rows.clh"
#include "blocks.clh"
#include "transpose.clh"

// A NaN or infinite value is added, not multiplied: a weight may be 0, and drivers differ in 0·∞. An excluded key's weight is −0.
inline lanes add_careful(lanes weight, float value, lanes sum) {
    if ((as_int(value) & 0x7F800000) == 0x7F800000)
        return select(sum + value, sum, AS_INTS(weight) < 0);
    return MULADD(weight, (lanes)(value), sum);
}

#if LANES > 1

// Values key … key + count − 1, `columns` columns from `column` on, as float; what is beyond stays. True if all of them are finite.
inline bool load_values(
    global const uchar *v, const problem *p, const work *w, int key, int count, int column, int columns, float *vt) {
    const long start = view_row(p->v, w->s.batch, w->head / p->group, w->s.key_start + key);
    copy_rows(
        p->v_storage, v, start + column * p->v.column, p->v.row, p->v.column, count, columns, vt, COLUMN_CHUNK);
    lane_ints odd = (lane_ints)(0);
    for (int c = 0; c < count * COLUMN_CHUNK; c += LANES)
        odd |= (AS_INTS(LOAD_LANES(vt + c)) & 0x7F800000) == 0x7F800000;
    return !ANY_LANE(odd);
}

inline void add_finite(const global float *e, const float *vt, int count, lanes sum[TILE_V][QUERY_VECTORS]) {
    for (int t = 0; t < count; ++t)
#pragma unroll
        for (int v = 0; v < QUERY_VECTORS; ++v) {
            const lanes weight = LOAD_LANES(e + t * TILE_Q + v * LANES);
#pragma unroll
            for (int c = 0; c < TILE_V; ++c)
                sum[c][v] = MULADD(weight, (lanes)(vt[t * COLUMN_CHUNK + c]), sum[c][v]);
        }
}

// As add_finite, where some values are NaN or infinite: they reach the rows that attend their key and no others.
inline void add_any(const global float *e, const float *vt, int count, lanes sum[TILE_V][QUERY_VECTORS]) {
    for (int t = 0; t < count; ++t)
#pragma unroll
        for (int v = 0; v < QUERY_VECTORS; ++v) {
            const lanes weight = LOAD_LANES(e + t * TILE_Q + v * LANES);
#pragma unroll
            for (int c = 0; c < TILE_V; ++c)
                sum[c][v] = add_careful(weight, vt[t * COLUMN_CHUNK + c], sum[c][v]);
        }
}

// Adds the products of `count` keys to TILE_V rows of oᵀ.
inline void add_values(global const float *e, const float *vt, int count, bool is_finite, float *ot) {
    lanes sum[TILE_V][QUERY_VECTORS];
#pragma unroll
    for (int c = 0; c < TILE_V; ++c)
#pragma unroll
        for (int v = 0; v < QUERY_VECTORS; ++v)
            sum[c][v] = LOAD_LANES(ot + c * TILE_Q + v * LANES);
    if (is_finite)
        add_finite(e, vt, count, sum);
    else
        add_any(e, vt, count, sum);
#pragma unroll
    for (int c = 0; c < TILE_V; ++c)
#pragma unroll
        for (int v = 0; v < QUERY_VECTORS; ++v)
            STORE_LANES(sum[c][v], ot + c * TILE_Q + v * LANES);
}

// Writes `columns` columns of oᵀ, normalised, from `column` on.
inline void write_columns(
    const float *ot, global const float *inverse_sum, global uchar *o, const problem *p, const work *w, int column,
    int columns) {
#pragma unroll 1
    for (int v = 0; v * LANES < w->rows; ++v) {
        const lanes inverse = LOAD_LANES(inverse_sum + w->tile * TILE_Q + v * LANES);
        const long row = view_row(p->o, w->s.batch, w->head, w->s.query_start + w->first + v * LANES);
        for (int c = 0; c < columns; c += LANES) {
            lanes x[LANES];
            for (int i = 0; i < LANES; ++i)
                x[i] = LOAD_LANES(ot + (c + i) * TILE_Q + v * LANES) * inverse + 0.0f;
            transpose(x);
            write_square(
                p->q_storage, x, w->rows - v * LANES, min(LANES, columns - c), o, row + (column + c) * p->o.column,
                p->o.row, p->o.column);
        }
    }
}

inline void write_output(
    global const float *e, global const float *inverse_sum, global const uchar *v, global uchar *o, const problem *p,
    const work *w, int block) {
    float vt[TILE_J * COLUMN_CHUNK];
    float ot[COLUMN_CHUNK * TILE_Q];
    for (int column = 0; column < p->columns; column += COLUMN_CHUNK) {
        const int columns = min(COLUMN_CHUNK, p->columns - column);
        for (int c = 0; c < COLUMN_CHUNK * TILE_Q; c += LANES)
            STORE_LANES((lanes)(0.0f), ot + c);
        // Columns that fill up the last TILE_V are never loaded.
        for (int c = 0; columns < COLUMN_CHUNK && c < TILE_J * COLUMN_CHUNK; c += LANES)
            STORE_LANES((lanes)(0.0f), vt + c);
        for (int key = w->low; key < w->high; key += TILE_J) {
            const int count = min(TILE_J, w->high - key);
            const bool is_finite = load_values(v, p, w, key, count, column, columns, vt);
            for (int c = 0; c < columns; c += TILE_V)
                add_values(e + scratch_row(p, w, key), vt + c, count, is_finite, ot + c * TILE_Q);
        }
        write_columns(ot, inverse_sum, o, p, w, column, columns);
    }
}

#else

// Scalars are compiled for storages; vectors learn them from the problem.
#ifndef V_STORAGE
#define V_STORAGE f32 // storage of values: f32, f16, bf16
#endif
#ifndef O_STORAGE
#define O_STORAGE f32 // storage of the output, that of the queries
#endif
#define LOAD_V(at, index) JOIN(load_, V_STORAGE)((global const JOIN(V_STORAGE, _storage) *)(at) + (index))
#define STORE_O(x, at, index) JOIN(store_, O_STORAGE)(x, (global JOIN(O_STORAGE, _storage) *)(at) + (index))

inline void write_output(
    global const float *e, global const float *inverse_sum, global const uchar *v, global uchar *o, const problem *p,
    const work *w, int block) {
    const int column = block * TILE_V;
    float sum[TILE_V][TILE_Q];
    for (int c = 0; c < TILE_V; ++c)
        for (int i = 0; i < TILE_Q; ++i)
            sum[c][i] = 0.0f;
    for (int key = w->low; key < w->high; ++key) {
        global const float *weights = e + scratch_row(p, w, key);
        const long start = view_row(p->v, w->s.batch, w->head / p->group, w->s.key_start + key);
        for (int c = 0; c < TILE_V; ++c) {
            const float value = LOAD_V(v, start + min(column + c, p->columns - 1) * p->v.column);
            for (int i = 0; i < TILE_Q; ++i)
                sum[c][i] = add_careful(weights[i], value, sum[c][i]);
        }
    }
    for (int i = 0; i < TILE_Q; ++i)
        for (int c = 0; c < TILE_V; ++c)
            if (i < w->rows && column + c < p->columns) {
                const long row = view_row(p->o, w->s.batch, w->head, w->s.query_start + w->first + i);
                const float inverse = inverse_sum[w->tile * TILE_Q + i];
                STORE_O(sum[c][i] * inverse + 0.0f, o, row + (column + c) * p->o.column);
            }
}

#endif

kernel void weighted_sum(
    global const float *e, global const float *inverse_sum, global const uchar *v, global uchar *o,
    global const segment *segments, const problem p) {
    const int blocks = LANES > 1 ? 1 : (p.columns + TILE_V - 1) / TILE_V;
    const int item = get_global_id(0), tile = item / blocks;
    work w;
    if (!find_work(&p, segments, tile, get_global_id(1), get_global_id(2), &w))
        return;
    write_output(e, inverse_sum, v, o, &p, &w, item - tile * blocks);
}
