// rotary — turns pairs of numbers of each row by angles that grow with the row's position.
//   (x, y) → (x·cos − y·sin, x·sin + y·cos); cosines and sines of row [b, h, i] are those of position starts[b] + i
// Shapes (strides in elements): x, o [batch, heads, length, dimension], rows without gaps; cosines, sines [positions, pairs].
// Pair n is numbers n and n + pairs of a row, or 2n and 2n + 1 where pairs are interleaved.
// Launch: global (ITEMS · ⌈rows / item_rows⌉), local (ITEMS): a work-group owns item_rows rows, an item every ITEMS-th vector of
// pairs.
// Edges: o may be x: an item reads a pair before it writes it. What is behind the last pair is copied.
// Source: Su et al. 2021, arXiv 2104.09864. Reference: AttentionReference.
#include "types.clh"
#include "layer.clh"
#include "row_part.clh"
#include "group.clh"

#define TURN_X(x, y, cosine, sine) MULADD(x, cosine, -((y) * (sine)))
#define TURN_Y(x, y, cosine, sine) MULADD(x, sine, (y) * (cosine))

inline void turn_halves(
    global const float *x, global const float *cosines, global const float *sines, int pairs, global float *o) {
    for (int n = ITEM * LANES; n < pairs; n += ITEMS * LANES) {
        const int count = min(LANES, pairs - n);
        const lanes a = row_part(x + n, count), b = row_part(x + pairs + n, count);
        const lanes cosine = row_part(cosines + n, count), sine = row_part(sines + n, count);
        put_part(TURN_X(a, b, cosine, sine), count, o + n);
        put_part(TURN_Y(a, b, cosine, sine), count, o + pairs + n);
    }
}

inline void turn_neighbours(
    global const float *x, global const float *cosines, global const float *sines, int pairs, global float *o) {
    for (int n = ITEM; n < pairs; n += ITEMS) {
        const float a = x[2 * n], b = x[2 * n + 1], cosine = cosines[n], sine = sines[n];
        o[2 * n] = TURN_X(a, b, cosine, sine);
        o[2 * n + 1] = TURN_Y(a, b, cosine, sine);
    }
}

ROW_KERNEL rotary(
    global const float *x, global const float *cosines, global const float *sines, global const int *starts,
    global float *o, const rotary_layer p) {
    const int low = GROUP * p.item_rows, high = min(low + p.item_rows, p.rows);
    for (int row = low; row < high; ++row) {
        const int sequence = row / p.length, i = row - sequence * p.length;
        const int b = sequence / p.heads, h = sequence - b * p.heads;
        global const float *from = x + head_row(p.x, b, h, i);
        global float *to = o + head_row(p.o, b, h, i);
        const long position = (long)starts[b] + i;
        global const float *cosine = cosines + matrix_row(p.cosines, position);
        global const float *sine = sines + matrix_row(p.sines, position);
        if (p.interleaved)
            turn_neighbours(from, cosine, sine, p.pairs, to);
        else
            turn_halves(from, cosine, sine, p.pairs, to);
        for (int d = 2 * p.pairs + ITEM; d < p.dimension; d += ITEMS)
            to[d] = from[d];
    }
}
