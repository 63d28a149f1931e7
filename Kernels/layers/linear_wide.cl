// linear_wide — rows times a weight matrix, for devices with wide vectors; bias, activation and residual as results are stored.
//   o[i][n] = activation(Σ_k x[i][k]·w[n][k] + bias[n]) + residual[i][n]
// Shapes: x [M,K], residual and o [M,N], rows at any stride; w packed, [panels][K][PANEL], 0 behind the last output; bias [N].
// Launch: global (⌈tiles of rows / item_tiles⌉, ⌈panels / item_panels⌉): one work-item owns item_tiles tiles of TILE_M rows and
// item_panels panels of outputs. The next work-item has the next rows and reads the same weights, which stay in the caches.
// Private: CHUNK inputs of TILE_M rows, in the first cache, so far apart that they do not fall on each other there; the totals of
// item_panels panels. In registers: TILE_M × VECTORS sums, one lane an output.
// Edges: a tile with fewer rows is computed with the smallest number of rows that holds them, the last row standing for those
// behind it. Every row is summed up in the same order, CHUNK inputs at a time, ascending, then the sums of the chunks: its bits
// depend on nothing beside it.
// Source: Goto and van de Geijn 2008, ACM TOMS 34(3), for what lies in which cache. Reference: AttentionReference.
#ifndef VECTORS
#define VECTORS 2 // vectors of outputs in a panel (1…4)
#endif
#ifndef TILE_M
#define TILE_M 14 // rows in registers (4, 6, 8, 12, 14): TILE_M × VECTORS sums
#endif
#ifndef CHUNK
#define CHUNK 384 // inputs that are summed up before they come to the total; part of the arithmetic
#endif
#ifndef MOST_PANELS
#define MOST_PANELS 16 // most panels of a work-item
#endif
#ifndef AHEAD
#define AHEAD 64 // inputs whose weights are asked for ahead of their turn (16…64): few rows wait for memory
#endif
#include "types.clh"
#include "layer.clh"
#include "rows.clh"
#include "exp2.clh"
#include "normal.clh"
#include "activation.clh"
#pragma OPENCL FP_CONTRACT OFF
#define PANEL (LANES * VECTORS)
#define ROW_ROOM (CHUNK + 16)
// W_STORAGE is that of the weights (f32, f16, bf16); the layer tells what is not defined.
#ifdef W_STORAGE
#define STORAGE_OF_W(p) JOIN(STORAGE_, W_STORAGE)
#else
#define STORAGE_OF_W(p) ((p)->storage)
#endif

// total ← total + Σ_k x[r][k]·w[k], `count` inputs of ROWS rows.
#define DEFINE_ADD_PRODUCTS(T, ROWS)                                                                                  \
    inline void add_products_##T##_##ROWS(                                                                            \
        const float *x, global const T##_storage *w, int count, bool is_first, lanes *total) {                        \
        lanes sum[ROWS][VECTORS];                                                                                     \
        _Pragma("unroll") for (int r = 0; r < ROWS; ++r)                                                              \
            _Pragma("unroll") for (int v = 0; v < VECTORS; ++v) sum[r][v] = (lanes)(0.0f);                            \
        for (int k = 0; k < count; ++k) {                                                                             \
            lanes wk[VECTORS];                                                                                        \
            _Pragma("unroll") for (int v = 0; v < VECTORS; ++v) {                                                     \
                wk[v] = load_lanes_##T(w + v * LANES);                                                                \
                PREFETCH(w + AHEAD * PANEL + v * LANES);                                                              \
            }                                                                                                         \
            _Pragma("unroll") for (int r = 0; r < ROWS; ++r)                                                          \
                _Pragma("unroll") for (int v = 0; v < VECTORS; ++v)                                                   \
                    sum[r][v] = MULADD(wk[v], (lanes)(x[r * ROW_ROOM]), sum[r][v]);                                   \
            w += PANEL;                                                                                               \
            ++x;                                                                                                      \
        }                                                                                                             \
        _Pragma("unroll") for (int r = 0; r < ROWS; ++r)                                                              \
            _Pragma("unroll") for (int v = 0; v < VECTORS; ++v) total[r * VECTORS + v] =                              \
                is_first ? sum[r][v] : total[r * VECTORS + v] + sum[r][v];                                            \
    }

// Rows that a tile is computed with, at least `rows`.
#if TILE_M > 8
#define TILE_ROWS(rows) ((rows) > 8 ? TILE_M : (rows) > 4 ? 8 : (rows) > 2 ? 4 : (rows))
#else
#define TILE_ROWS(rows) ((rows) > 4 ? TILE_M : (rows) > 2 ? 4 : (rows))
#endif
#if TILE_M > 8
#define DEFINE_EIGHT(T) DEFINE_ADD_PRODUCTS(T, 8)
#define ADD_EIGHT(T) case 8: add_products_##T##_8(x, from, count, is_first, total); break;
#else
#define DEFINE_EIGHT(T)
#define ADD_EIGHT(T)
#endif
#if TILE_M > 4
#define DEFINE_FOUR(T) DEFINE_ADD_PRODUCTS(T, 4)
#define ADD_FOUR(T) case 4: add_products_##T##_4(x, from, count, is_first, total); break;
#else
#define DEFINE_FOUR(T)
#define ADD_FOUR(T)
#endif
#define DEFINE_WHOLE_(T, ROWS) DEFINE_ADD_PRODUCTS(T, ROWS)
#define DEFINE_WHOLE(T) DEFINE_WHOLE_(T, TILE_M)

#define DEFINE_ADD_TILE(T)                                                                                            \
    DEFINE_ADD_PRODUCTS(T, 1)                                                                                         \
    DEFINE_ADD_PRODUCTS(T, 2)                                                                                         \
    DEFINE_FOUR(T)                                                                                                    \
    DEFINE_EIGHT(T)                                                                                                   \
    DEFINE_WHOLE(T)                                                                                                   \
    inline void add_tile_##T(                                                                                         \
        int rows, const float *x, global const uchar *w, long index, int count, bool is_first, lanes *total) {        \
        global const T##_storage *from = (global const T##_storage *)w + index;                                       \
        switch (rows) {                                                                                               \
        case 1: add_products_##T##_1(x, from, count, is_first, total); break;                                         \
        case 2: add_products_##T##_2(x, from, count, is_first, total); break;                                         \
        ADD_FOUR(T)                                                                                                   \
        ADD_EIGHT(T)                                                                                                  \
        default: JOIN(add_products_##T##_, TILE_M)(x, from, count, is_first, total);                                  \
        }                                                                                                             \
    }
DEFINE_ADD_TILE(f32)
DEFINE_ADD_TILE(f16)
DEFINE_ADD_TILE(bf16)

inline void add_tile(
    int storage, int rows, const float *x, global const uchar *w, long index, int count, bool is_first, lanes *total) {
    if (storage == STORAGE_f32)
        add_tile_f32(rows, x, w, index, count, is_first, total);
    else if (storage == STORAGE_f16)
        add_tile_f16(rows, x, w, index, count, is_first, total);
    else
        add_tile_bf16(rows, x, w, index, count, is_first, total);
}

// What becomes of the totals of one panel.
inline void store_tile(
    const lanes *total, int first, int rows, int column, global const float *bias, global const float *residual,
    global float *o, const linear_layer *p) {
    for (int v = 0; v < VECTORS; ++v) {
        const int n = column + v * LANES, count = min(LANES, p->columns - n);
        if (count <= 0)
            return;
        const lanes b = bias ? load_part_f32(bias + p->bias + n, 1, count) : (lanes)(0.0f);
        for (int r = 0; r < rows; ++r) {
            lanes y = total[r * VECTORS + v];
            y = bias ? y + b : y;
            y = activated(y, p->activation);
            if (residual)
                y += load_part_f32(residual + matrix_row(p->residual, first + r) + n, 1, count);
            write_row_f32(&y, count, 1, o + matrix_row(p->o, first + r) + n);
        }
    }
}

// Asks for part `share` of `shares` of what the next tile, or the next inputs of this one, will copy: spread over the panels, so
// that none of it has to be waited for.
inline void ask_ahead(global const float *x, int first, int start, int share, int shares, const linear_layer *p) {
    if (start >= p->depth) {
        start = 0;
        first += TILE_M;
    }
    const int rows = min(TILE_M, p->rows - first), count = min(CHUNK, p->depth - start);
    for (int r = rows * share / shares; r < rows * (share + 1) / shares; ++r)
        for (int k = 0; k < count; k += 16)
            PREFETCH(x + matrix_row(p->x, first + r) + start + k);
}

WIDE_KERNEL linear_wide(
    global const float *x, global const uchar *w, global const float *bias, global const float *residual,
    global float *o, const linear_layer p) {
    PRIVATE(lanes, part, TILE_M * ROW_ROOM / LANES);
    PRIVATE(lanes, totals, MOST_PANELS * TILE_M * VECTORS);
    const int panels = (p.columns + PANEL - 1) / PANEL;
    const int low = get_global_id(1) * p.item_panels, high = min(low + p.item_panels, panels);
    const int begin = get_global_id(0) * p.item_tiles * TILE_M, end = min(begin + p.item_tiles * TILE_M, p.rows);
    for (int first = begin; first < end; first += TILE_M) {
        const int present = min(TILE_M, end - first), rows = TILE_ROWS(present);
        // Also without inputs, so that there are totals.
        int start = 0;
        do {
            const int count = min(CHUNK, p.depth - start);
            for (int r = 0; r < rows; ++r)
                copy_row_f32(
                    x + matrix_row(p.x, first + min(r, present - 1)) + start, 1, count, count, (float *)part + r * ROW_ROOM);
            for (int panel = low; panel < high; ++panel) {
                ask_ahead(x, first, start + CHUNK, panel - low, high - low, &p);
                add_tile(
                    STORAGE_OF_W(&p), rows, (const float *)part, w, ((long)panel * p.depth + start) * PANEL, count,
                    start == 0, totals + (panel - low) * TILE_M * VECTORS);
            }
            start += CHUNK;
        } while (start < p.depth);
        for (int panel = low; panel < high; ++panel)
            store_tile(
                totals + (panel - low) * TILE_M * VECTORS, first, present, panel * PANEL, bias, residual, o, &p);
    }
}
