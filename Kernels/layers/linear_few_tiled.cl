// linear_few_tiled — a linear layer of few rows by work-groups, bound by reading the weights once.
//   o[i][n] = activation(Σ_k x[i][k]·w[n][k] + bias[n]) + residual[i][n]
// Shapes: x [M,K], w [N,K], residual and o [M,N], rows at any stride; bias [N].
// Launch: global (GROUP · ⌈N/TILE_N⌉, ⌈M/ROWS⌉), local (GROUP, 1): one work-group owns ROWS rows and TILE_N outputs, an item one
// output and one of PARTS parts of the inputs, PART each, that are summed up side by side.
// Local memory: CHUNK inputs of each part's weights, read from memory side by side; in their place afterwards the sums of all
// parts.
// Edges: as linear_tiled, whose order of additions this is: a part by itself, then the parts, ascending. Parts behind the last
// input add 0.
// Reference: AttentionReference.
#ifndef ROWS
#define ROWS 8 // rows in registers (1, 2, 4, 8): no more than an item has room for in place of its weights
#endif
#ifndef TILE_N
#define TILE_N 8 // outputs of a work-group (4, 8, 16)
#endif
#ifndef PARTS
#define PARTS 8 // parts of the inputs at once (4, 8, 16)
#endif
#ifndef CHUNK
#define CHUNK 16 // inputs of a part that are in local memory at once (4…64, divides PART)
#endif
#ifndef PART
#define PART 64 // inputs that are summed up before they come to the total; part of the arithmetic
#endif
#ifndef W_STORAGE
#define W_STORAGE f32 // storage of the weights: f32, f16, bf16
#endif
#define LANES 4
#define GROUP (TILE_N * PARTS)
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
#define FOURS (CHUNK / LANES)
// An item's weights in local memory, in vectors: one more than there are, as powers of 2 apart share a bank.
#define W_ROW (FOURS + 1)
// Fours of outputs, each with an item to add up the parts of a row.
#define ENDS (ROWS * TILE_N / LANES)
#define ENDS_EACH ((ENDS + GROUP - 1) / GROUP)

// Inputs `k` … k + CHUNK − 1 of every part, for all outputs: weights[output][part].
inline void load_weights(
    global const uchar *w, const linear_layer *p, int column, int k, int item, lanes next[FOURS]) {
#pragma unroll
    for (int n = 0; n < FOURS; ++n) {
        const int i = item + n * GROUP, owner = i / FOURS, output = owner / PARTS;
        const int at = k + (owner - output * PARTS) * PART + (i - owner * FOURS) * LANES;
        next[n] = load_v(
            w, matrix_row(p->w, min(column + output, p->columns - 1)) + at, 1, p->depth - at, p->aligned & ALIGNED_W);
    }
}

inline void store_weights(const lanes next[FOURS], int item, local lanes *weights) {
#pragma unroll
    for (int n = 0; n < FOURS; ++n) {
        const int i = item + n * GROUP, owner = i / FOURS;
        weights[owner * W_ROW + i - owner * FOURS] = next[n];
    }
}

// sums ← sums + the products of CHUNK inputs from `k` on, those of an item.
inline void add_products(
    global const uchar *x, const linear_layer *p, int first, int k, local const lanes *weights, float sums[ROWS]) {
#pragma unroll 1
    for (int i = 0; i < FOURS; ++i, k += LANES) {
        const lanes wk = weights[i];
#pragma unroll
        for (int r = 0; r < ROWS; ++r) {
            const lanes xk = load_q(
                x, matrix_row(p->x, min(first + r, p->rows - 1)) + k, 1, p->depth - k, p->aligned & ALIGNED_X);
            sums[r] = MULADD(xk.s0, wk.s0, sums[r]);
            sums[r] = MULADD(xk.s1, wk.s1, sums[r]);
            sums[r] = MULADD(xk.s2, wk.s2, sums[r]);
            sums[r] = MULADD(xk.s3, wk.s3, sums[r]);
        }
    }
}

GROUP_KERNEL(GROUP) linear_few_tiled(
    global const uchar *x, global const uchar *w, global const float *bias, global const float *residual,
    global float *o, const linear_layer p) {
    local lanes weights[GROUP * W_ROW];
    const int item = get_local_id(0), output = item / PARTS, part = item - output * PARTS;
    const int first = get_group_id(1) * ROWS, column = get_group_id(0) * TILE_N;
    lanes totals[ENDS_EACH];
#pragma unroll
    for (int n = 0; n < ENDS_EACH; ++n)
        totals[n] = (lanes)(0.0f);
    for (int start = 0; start < p.depth; start += PARTS * PART) {
        float sums[ROWS];
#pragma unroll
        for (int r = 0; r < ROWS; ++r)
            sums[r] = 0.0f;
#pragma unroll 1
        for (int k = start; k < start + PART; k += CHUNK) {
            lanes next[FOURS];
            load_weights(w, &p, column, k, item, next);
            // What was there has been read by all.
            barrier(CLK_LOCAL_MEM_FENCE);
            store_weights(next, item, weights);
            // Each item reads what others have brought.
            barrier(CLK_LOCAL_MEM_FENCE);
            add_products(x, &p, first, k + part * PART, weights + item * W_ROW, sums);
        }
        // The weights have been read by all: sums[part][row][output] come in their place.
        barrier(CLK_LOCAL_MEM_FENCE);
#pragma unroll
        for (int r = 0; r < ROWS; ++r)
            ((local float *)weights)[(part * ROWS + r) * TILE_N + output] = sums[r];
        // The sums of all parts are there.
        barrier(CLK_LOCAL_MEM_FENCE);
#pragma unroll
        for (int n = 0; n < ENDS_EACH; ++n)
            if (item + n * GROUP < ENDS)
#pragma unroll
                for (int i = 0; i < PARTS; ++i)
                    totals[n] += weights[i * ENDS + item + n * GROUP];
    }
#pragma unroll
    for (int n = 0; n < ENDS_EACH; ++n) {
        const int end = item + n * GROUP, row = end / (TILE_N / LANES);
        if (end < ENDS)
            store_outputs(
                totals[n], first + row, column + (end - row * (TILE_N / LANES)) * LANES, bias, residual, o, &p);
    }
}
