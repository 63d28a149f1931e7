// embedding — rows of up to three tables, scaled and added up: tokens, positions, segments.
//   o[i] = Σ_t scale_t·table_t[indices[t][i]]
// Shapes: tables [entries, columns] and o [rows, columns], rows at any stride; indices [terms][rows].
// Launch: global (ITEMS · ⌈rows / item_rows⌉), local (ITEMS): a work-group owns item_rows rows, an item every ITEMS-th vector of
// each.
// Edges: tables that are not there are null pointers. Indices were checked by the host.
// Reference: AttentionReference.
#include "types.clh"
#include "layer.clh"
#include "row_part.clh"
#include "group.clh"

ROW_KERNEL embedding(
    global const uchar *first, global const uchar *second, global const uchar *third, global const int *indices,
    global float *o, const embedding_layer p) {
    const int low = GROUP * p.item_rows, high = min(low + p.item_rows, p.rows);
    for (int row = low; row < high; ++row) {
        const long a = matrix_row(p.first, indices[row]);
        const long b = p.terms > 1 ? matrix_row(p.second, indices[p.rows + row]) : 0;
        const long c = p.terms > 2 ? matrix_row(p.third, indices[2 * (long)p.rows + row]) : 0;
        global float *to = o + matrix_row(p.o, row);
        for (int d = ITEM * LANES; d < p.columns; d += ITEMS * LANES) {
            const int count = min(LANES, p.columns - d);
            lanes sum = stored_part(p.storages[0], first, a + d, count) * p.scales[0];
            if (p.terms > 1)
                sum = MULADD(stored_part(p.storages[1], second, b + d, count), (lanes)(p.scales[1]), sum);
            if (p.terms > 2)
                sum = MULADD(stored_part(p.storages[2], third, c + d, count), (lanes)(p.scales[2]), sum);
            put_part(sum, count, to + d);
        }
    }
}
