// merge_wide — joins what decode_wide found for the chunks of each row, in ascending order, and writes the row.
//   best' = max(best, best_c)   sum' = sum·2^(best − best') + sum_c·2^(best_c − best')   o' likewise; at the end o/sum
// Shapes (strides in elements): parts [segment][key head][row][chunk], see merge.clh; o [B,Hq,Lq,Dv] and lse [B,Hq,Lq] by any
// strides.
// Launch: global (rows, key heads, segments): one work-item owns a row.
// Edges: a chunk without attended keys is the identity; sinks come in once, here.
// Source: Dao et al. 2023, Flash-Decoding. Reference: AttentionReference.
#ifndef ROOM
#define ROOM 128 // room for Dv; a multiple of LANES
#endif
#define LOGIT_UNIT 0x1.715476p+0f // log2 e
#define TILE_Q 1
#include "types.clh"
#include "problem.clh"
#include "exp2.clh"
#include "rows.clh"
#include "blocks.clh"
#include "merge.clh"
#include "finish.clh"
#pragma OPENCL FP_CONTRACT OFF

WIDE_KERNEL merge_wide(
    global const float *parts, global const float *sinks, global uchar *o, global float *lse,
    global const segment *segments, const problem p) {
    const int row = get_global_id(0), key_head = get_global_id(1);
    const segment seg = segments[p.first_segment + get_global_id(2)];
    const int query = row / p.group, head = key_head * p.group + (row - query * p.group);
    if (query >= seg.query_count)
        return;
    const int vectors = (p.columns + LANES - 1) / LANES;
    // Chunks outside what the row's whole block attends were never looked at; merging the identity changes nothing.
    PRIVATE(lanes, all, ROOM / LANES);
    PRIVATE(lanes, some, ROOM / LANES);
    partial sum = {-FLT_MAX, 0.0f};
    for (int c = 0; c < vectors; ++c)
        all[c] = (lanes)(0.0f);
    for (int chunk = 0; chunk < p.key_blocks; ++chunk) {
        global const float *at = parts + part_place(&p, key_head, get_global_id(2), row, chunk);
        const partial part = {at[0], at[1]};
        for (int c = 0; c < vectors; ++c)
            some[c] = LOAD_LANES(at + LANES + c * LANES);
        merge(&sum, all, part, some, vectors);
    }
    finish_row(
        sum, all, sinks ? sinks[head] : -INFINITY, &p, seg.batch, head, seg.query_start + query, o, lse);
}
