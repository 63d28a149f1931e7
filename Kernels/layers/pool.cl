// pool — one vector for each sequence of packed rows: their mean, the first, or the largest of each column.
//   y[s] = mean, first or largest of x[offsets[s]] … x[offsets[s + 1] − 1]     o[s] = y[s], or y[s]/max(‖y[s]‖₂, 1e-12)
// Shapes: x [rows, columns] and o [sequences, columns], rows at any stride; offsets [sequences + 1].
// Launch: global (ITEMS · sequences), local (ITEMS): a work-group owns a sequence, an item every ITEMS-th vector of columns.
// Local memory: a float an item.
// Edges: a sequence without rows gives 0. A NaN is larger than any number, and makes the length NaN.
// Source: Reimers and Gurevych 2019, arXiv 1908.10084, section 3. Reference: AttentionReference.
#include "types.clh"
#include "layer.clh"
#include "row_part.clh"
#include "group.clh"

inline lanes pooled(global const float *x, const pool_layer *p, int first, int last, int c, int count) {
    if (first >= last)
        return (lanes)(0.0f);
    lanes y = row_part(x + matrix_row(p->x, first) + c, count);
    if (p->kind == POOL_cls)
        return y;
    for (int row = first + 1; row < last; ++row) {
        const lanes t = row_part(x + matrix_row(p->x, row) + c, count);
        if (p->kind == POOL_mean)
            y += t;
        else
            y = select(t, y, (y >= t) | (y != y));
    }
    return p->kind == POOL_mean ? y / (float)(last - first) : y;
}

ROW_KERNEL pool(global const float *x, global const int *offsets, global float *o, const pool_layer p) {
    GROUP_ROOM(float, shared);
    const int sequence = GROUP, first = offsets[sequence], last = offsets[sequence + 1];
    global float *to = o + matrix_row(p.o, sequence);
    lanes squares = (lanes)(0.0f);
    for (int c = ITEM * LANES; c < p.columns; c += ITEMS * LANES) {
        const int count = min(LANES, p.columns - c);
        const lanes y = pooled(x, &p, first, last, c, count);
        squares = MULADD(y, y, squares);
        put_part(y, count, to + c);
    }
    // Also where it is not needed: no barrier stands behind a choice, which one compiler takes for one of each item.
    const float length = sqrt(group_sum(sum_of_lanes(squares), shared));
    // In this order a NaN stays.
    const float divisor = length < 1e-12f ? 1e-12f : length;
    for (int c = ITEM * LANES; p.normalized && c < p.columns; c += ITEMS * LANES) {
        const int count = min(LANES, p.columns - c);
        put_part(row_part(to + c, count) / divisor, count, to + c);
    }
}
