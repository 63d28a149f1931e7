// copy — elements moved between tensors of the same shape, bit for bit, or zeros.
//   target[i, …] = source[entries[i], …], entries[i] = i where there are none; 0 without a source
// Shapes (strides in elements): source, target of four dimensions, by any strides; entries [sizes[0]]. The last dimension is a
// row.
// Launch: global (ITEMS · ⌈rows / item_rows⌉, ⌈sizes[3] / item_columns⌉), local (ITEMS, 1): a work-group owns item_columns
// elements of item_rows rows, an item every ITEMS-th of them.
// Reference: AttentionReference.
#ifndef ELEMENT
#define ELEMENT uint // a type of the elements' size: uchar, ushort, uint, ulong
#endif
#ifndef LANES
#define LANES 1 // of no meaning here
#endif
#include "types.clh"
#include "layer.clh"
#include "group.clh"

ROW_KERNEL copy(
    global const ELEMENT *source, global const int *entries, global ELEMENT *target, const copy_layer p) {
    const long low = (long)GROUP * p.item_rows, high = min(low + p.item_rows, p.rows);
    const long start = (long)get_global_id(1) * p.item_columns, end = min(start + p.item_columns, p.sizes[3]);
    const long from_step = p.source_strides[3], to_step = p.target_strides[3];
    for (long row = low; row < high; ++row) {
        const long ij = row / p.sizes[2], k = row - ij * p.sizes[2], i = ij / p.sizes[1], j = ij - i * p.sizes[1];
        const long entry = entries ? entries[i] : i;
        global const ELEMENT *from = source + p.source + copied_row(p.source_strides, entry, j, k);
        global ELEMENT *to = target + p.target + copied_row(p.target_strides, i, j, k);
        if (!source)
            for (long c = start + ITEM; c < end; c += ITEMS)
                to[c * to_step] = 0;
        else if (from_step == 1 && to_step == 1)
            for (long c = start + ITEM; c < end; c += ITEMS)
                to[c] = from[c];
        else
            for (long c = start + ITEM; c < end; c += ITEMS)
                to[c * to_step] = from[c * from_step];
    }
}
