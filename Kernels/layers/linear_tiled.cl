// linear_tiled — rows times a weight matrix by work-group tiles, for devices with local memory and narrow vectors; bias,
// activation and residual as results are stored.
//   o[i][n] = activation(Σ_k x[i][k]·w[n][k] + bias[n]) + residual[i][n]
// Shapes: x [M,K], w [N,K], residual and o [M,N], rows at any stride; bias [N].
// Launch: global (GROUP · ⌈N/TILE_N⌉, ⌈M/TILE_M⌉), local (GROUP, 1): one work-group owns TILE_M rows and TILE_N outputs. Items
// stand in ITEMS_M rows and ITEMS_N columns; one has 4 rows × 4 outputs in registers, and the totals of both.
// Local memory: twice CHUNK inputs of the tile's rows and outputs, transposed, of which one half is read while the other is
// filled.
// Edges: the last row or output stands for those behind it, which are not stored; inputs behind the last one are 0. Inputs are
// summed up in parts of PART, ascending, then the parts: a row's bits depend on nothing beside it, not on the tile, and are those
// of linear_few_tiled. No work-item returns before the others.
// Source: Volkov and Demmel 2008, Benchmarking GPUs to Tune Dense Linear Algebra, for sums in registers. Reference:
// AttentionReference.
#ifndef ITEMS_M
#define ITEMS_M 16 // work-items along the rows (4…16)
#endif
#ifndef ITEMS_N
#define ITEMS_N 16 // work-items along the outputs (4…16)
#endif
#ifndef CHUNK
#define CHUNK 16 // inputs that are in local memory at once (4…64, divides PART)
#endif
#ifndef PART
#define PART 64 // inputs that are summed up before they come to the total; part of the arithmetic
#endif
#ifndef W_STORAGE
#define W_STORAGE f32 // storage of the weights: f32, f16, bf16
#endif
#define LANES 4
#define GROUP (ITEMS_M * ITEMS_N)
#define TILE_M (LANES * ITEMS_M)
#define TILE_N (LANES * ITEMS_N)
// Every step becomes part of the kernel: a call would take registers.
#define inline inline __attribute__((always_inline))
#include "types.clh"
#include "layer.clh"
#include "exp2.clh"
#include "normal.clh"
#include "activation.clh"
#define Q_STORAGE f32
#define V_STORAGE W_STORAGE
#include "fours.clh"
#include "registers.clh"
#include "layer_outputs.clh"
#pragma OPENCL FP_CONTRACT OFF
// Rows of transposed inputs and weights, in vectors: one more than they have, as powers of 2 apart share a bank.
#define X_ROW (ITEMS_M + 1)
#define W_ROW (ITEMS_N + 1)
#define SIDE (CHUNK * (X_ROW + W_ROW))
// Fours of inputs that an item brings, at most.
#define FOURS (CHUNK / LANES)
#define SLOTS(rows) (((rows) * FOURS + GROUP - 1) / GROUP)

// Inputs k … k + CHUNK − 1 of the tile's rows and outputs.
inline void load_chunk(
    global const uchar *x, global const uchar *w, const linear_layer *p, int first, int column, int k, int item,
    lanes next_x[SLOTS(TILE_M)], lanes next_w[SLOTS(TILE_N)]) {
#pragma unroll
    for (int n = 0; n < SLOTS(TILE_M); ++n) {
        const int i = item + n * GROUP, row = i / FOURS, at = k + (i - row * FOURS) * LANES;
        if (row < TILE_M)
            next_x[n] = load_q(
                x, matrix_row(p->x, min(first + row, p->rows - 1)) + at, 1, p->depth - at, p->aligned & ALIGNED_X);
    }
#pragma unroll
    for (int n = 0; n < SLOTS(TILE_N); ++n) {
        const int i = item + n * GROUP, row = i / FOURS, at = k + (i - row * FOURS) * LANES;
        if (row < TILE_N)
            next_w[n] = load_v(
                w, matrix_row(p->w, min(column + row, p->columns - 1)) + at, 1, p->depth - at, p->aligned & ALIGNED_W);
    }
}

// Transposed: an input is a row.
inline void store_column(lanes x, local float *to, int row) {
    to[0] = x.s0;
    to[row] = x.s1;
    to[2 * row] = x.s2;
    to[3 * row] = x.s3;
}

inline void store_chunk(
    const lanes next_x[SLOTS(TILE_M)], const lanes next_w[SLOTS(TILE_N)], int item, local lanes *memory) {
    local float *xt = (local float *)memory, *wt = (local float *)(memory + CHUNK * X_ROW);
#pragma unroll
    for (int n = 0; n < SLOTS(TILE_M); ++n) {
        const int i = item + n * GROUP, row = i / FOURS, k = (i - row * FOURS) * LANES;
        if (row < TILE_M)
            store_column(next_x[n], xt + k * X_ROW * LANES + row, X_ROW * LANES);
    }
#pragma unroll
    for (int n = 0; n < SLOTS(TILE_N); ++n) {
        const int i = item + n * GROUP, row = i / FOURS, k = (i - row * FOURS) * LANES;
        if (row < TILE_N)
            store_column(next_w[n], wt + k * W_ROW * LANES + row, W_ROW * LANES);
    }
}

GROUP_KERNEL(GROUP) linear_tiled(
    global const uchar *x, global const uchar *w, global const float *bias, global const float *residual,
    global float *o, const linear_layer p) {
    local lanes memory[2 * SIDE];
    const int item = get_local_id(0), im = item / ITEMS_N, in = item - im * ITEMS_N;
    const int first = get_group_id(1) * TILE_M, column = get_group_id(0) * TILE_N;
    lanes sums[LANES], totals[LANES], next_x[SLOTS(TILE_M)], next_w[SLOTS(TILE_N)];
#pragma unroll
    for (int r = 0; r < LANES; ++r)
        sums[r] = totals[r] = (lanes)(0.0f);
    load_chunk(x, w, &p, first, column, 0, item, next_x, next_w);
    store_chunk(next_x, next_w, item, memory);
    int side = 0, k = 0;
    do {
        const bool has_more = k + CHUNK < p.depth;
        // On its way while this chunk is computed with.
        if (has_more)
            load_chunk(x, w, &p, first, column, k + CHUNK, item, next_x, next_w);
        // What others have brought is there, and the other side has been read by all.
        barrier(CLK_LOCAL_MEM_FENCE);
        local const lanes *xt = memory + side * SIDE + im, *wt = memory + side * SIDE + CHUNK * X_ROW + in;
#pragma unroll 4
        for (int i = 0; i < CHUNK; ++i) {
            const lanes rows = xt[i * X_ROW], outputs = wt[i * W_ROW];
            sums[0] = MULADD((lanes)(rows.s0), outputs, sums[0]);
            sums[1] = MULADD((lanes)(rows.s1), outputs, sums[1]);
            sums[2] = MULADD((lanes)(rows.s2), outputs, sums[2]);
            sums[3] = MULADD((lanes)(rows.s3), outputs, sums[3]);
        }
        k += CHUNK;
        if (k % PART == 0 || !has_more) {
#pragma unroll
            for (int r = 0; r < LANES; ++r) {
                totals[r] += sums[r];
                sums[r] = (lanes)(0.0f);
            }
        }
        side = 1 - side;
        if (has_more)
            store_chunk(next_x, next_w, item, memory + side * SIDE);
    } while (k < p.depth);
#pragma unroll
    for (int r = 0; r < LANES; ++r)
        store_outputs(totals[r], first + im * LANES + r, column + in * LANES, bias, residual, o, &p);
}
