// concatenate — present keys or values: the past ones, then the new ones, bit for bit.
// Shapes (strides in elements): past [B,H,P,D] and fresh [B,H,L,D] by any strides; present [B,H,P+L,D].
// Launch: global (P + L, H, B): one work-item copies one row.
// Source: ONNX Attention, present_key. Reference: AttentionReference.
#ifndef ELEMENT
#define ELEMENT uint // a type of the elements' size: uint or ushort
#endif

typedef struct {
    long offset, batch, head, row, column;
} view;

kernel void concatenate(
    global const ELEMENT *past, global const ELEMENT *fresh, global ELEMENT *present, const view past_view,
    const view fresh_view, const view present_view, const int past_length, const int columns) {
    const long row = get_global_id(0), h = get_global_id(1), b = get_global_id(2);
    const bool is_past = row < past_length;
    const view from = is_past ? past_view : fresh_view;
    const long source = from.offset + b * from.batch + h * from.head + (is_past ? row : row - past_length) * from.row;
    const long target = present_view.offset + b * present_view.batch + h * present_view.head + row * present_view.row;
    for (int c = 0; c < columns; ++c)
        present[target + c * present_view.column] =
            is_past ? past[source + c * from.column] : fresh[source + c * from.column];
}
