// decode_merge — joins what decode_split found for the chunks of each row, in ascending order, and writes the row.
//   best' = max(best, best_c)   sum' = sum·2^(best − best') + sum_c·2^(best_c − best')   o' likewise; at the end o/sum
// Shapes (strides in elements): parts [segment][key head][row][chunk], see merge.clh; o [B,Hq,Lq,Dv] and lse [B,Hq,Lq] by any
// strides.
// Launch: global (ITEMS · rows, key heads, segments), local (ITEMS, 1, 1): one work-group owns a row, an item four columns at a time.
// Edges: a chunk without attended keys is the identity; sinks come in once, here.
// Source: Dao et al. 2023, Flash-Decoding. Reference: AttentionReference.
#ifndef ITEMS
#define ITEMS 16 // work-items of a row (1…64)
#endif
#ifndef Q_STORAGE
#define Q_STORAGE f32 // storage of the output: f32, f16, bf16
#endif
#define LANES 4
#define LOGIT_UNIT 0x1.715476p+0f // log2 e
#define TILE_Q 1
#include "types.clh"
#include "problem.clh"
#include "exp2.clh"
#include "merge.clh"
#pragma OPENCL FP_CONTRACT OFF

kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) void decode_merge(
    global const float *parts, global const float *sinks, global uchar *o, global float *lse,
    global const segment *segments, const problem p) {
    const int item = get_local_id(0), row = get_group_id(0), key_head = get_group_id(1);
    const segment seg = segments[p.first_segment + get_group_id(2)];
    const int query = row / p.group, head = key_head * p.group + (row - query * p.group);
    if (query >= seg.query_count)
        return;
    const long size = LANES + (p.columns + LANES - 1) / LANES * LANES;
    global const float *row_parts = parts + part_place(&p, key_head, get_global_id(2), row, 0);
    global JOIN(Q_STORAGE, _storage) *to =
        (global JOIN(Q_STORAGE, _storage) *)o + view_row(p.o, seg.batch, head, seg.query_start + query);
    // The first item writes the log-sum-exp, also where there is no column.
    for (int c = item * LANES; c < p.columns || c == 0; c += ITEMS * LANES) {
        partial sum = {-FLT_MAX, 0.0f};
        lanes all = (lanes)(0.0f);
        for (int chunk = 0; chunk < p.key_blocks; ++chunk) {
            global const float *at = row_parts + chunk * size;
            const partial part = {at[0], at[1]};
            const lanes some = c < p.columns ? *(global const lanes *)(at + LANES + c) : (lanes)(0.0f);
            merge(&sum, &all, part, &some, 1);
        }
        const lanes x = all * finish_sum(&sum, sinks ? sinks[head] : -INFINITY) + 0.0f;
        float every[LANES];
        STORE_LANES(x, every);
        for (int i = 0; i < LANES && c + i < p.columns; ++i)
            JOIN(store_, Q_STORAGE)(every[i], to + (c + i) * p.o.column);
        if (lse && c == 0)
            lse[view_row(p.lse, seg.batch, head, seg.query_start + query)] = log_sum(sum);
    }
}
