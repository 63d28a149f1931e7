// layer_norm — layer normalisation, or that by the root mean square, of each row of x + residual.
//   layer: o = (t − mean t)/√(mean (t − mean t)² + ε)·weight + bias   rms: o = t/√(mean t² + ε)·weight + bias   t = x + residual
// Shapes: x, residual, sum, o [rows, columns], rows at any stride; weight, bias [columns]. sum receives t; it and o may be x or
// residual.
// Launch: global (ITEMS · ⌈rows / item_rows⌉), local (ITEMS): a work-group owns item_rows rows, an item every ITEMS-th vector of
// each. Local memory: a float an item.
// Edges: an item reads of the operands only what it has not written yet, so that results may take their place. The variance comes
// from the differences, in a second pass: no cancellation.
// Sources: Ba et al. 2016, arXiv 1607.06450; Zhang and Sennrich 2019, arXiv 1910.07467. Reference: AttentionReference.
#include "types.clh"
#include "layer.clh"
#include "row_part.clh"
#include "group.clh"

inline lanes added_part(global const float *x, global const float *residual, int c, int count) {
    const lanes t = row_part(x + c, count);
    return residual ? t + row_part(residual + c, count) : t;
}

ROW_KERNEL layer_norm(
    global const float *x, global const float *residual, global const float *weight, global const float *bias,
    global float *sum, global float *o, const norm_layer p) {
    GROUP_ROOM(float, shared);
    const int low = GROUP * p.item_rows, high = min(low + p.item_rows, p.rows), start = ITEM * LANES;
    for (int row = low; row < high; ++row) {
        global const float *from = x + matrix_row(p.x, row);
        global const float *other = residual ? residual + matrix_row(p.residual, row) : 0;
        global float *to = o + matrix_row(p.o, row);
        lanes total = (lanes)(0.0f);
        if (sum || p.kind == NORM_layer) {
            for (int c = start; c < p.columns; c += ITEMS * LANES) {
                const int count = min(LANES, p.columns - c);
                const lanes t = added_part(from, other, c, count);
                if (sum)
                    put_part(t, count, sum + matrix_row(p.sum, row) + c);
                total += t;
            }
        }
        // No barrier stands behind a choice, which one compiler takes for one of each item.
        const float all = group_sum(sum_of_lanes(total), shared);
        const float mean = p.kind == NORM_layer ? all / p.columns : 0.0f;
        if (sum) {
            from = sum + matrix_row(p.sum, row);
            other = 0;
        }
        lanes squares = (lanes)(0.0f);
        for (int c = start; c < p.columns; c += ITEMS * LANES) {
            const int count = min(LANES, p.columns - c);
            const lanes t = first_lanes(added_part(from, other, c, count) - mean, count);
            squares = MULADD(t, t, squares);
        }
        const float variance = group_sum(sum_of_lanes(squares), shared) / p.columns;
        const float inverse = 1.0f / sqrt(variance + p.epsilon);
        for (int c = start; c < p.columns; c += ITEMS * LANES) {
            const int count = min(LANES, p.columns - c);
            lanes y = (added_part(from, other, c, count) - mean) * inverse;
            if (weight)
                y *= row_part(weight + p.weight + c, count);
            if (bias)
                y += row_part(bias + p.bias + c, count);
            put_part(y, count, to + c);
        }
    }
}
