// select_top — the largest logits of each row, with the logarithms of their softmax.
//   indices[i][n] = place of the n-th largest of x[i]     values[i][n] = x[i][indices[i][n]] − log Σ_j exp(x[i][j])
// Shapes: x [rows, columns], indices and values [rows, count], rows at any stride.
// Launch: global (ITEMS · rows), local (ITEMS): a work-group owns a row, an item every ITEMS-th vector of it. A pass over the row
// for its largest, one for the sum, and one for each of the `count` results: what comes next after the one before it.
// Local memory: a float and two ints an item.
// Edges: equal numbers go by ascending index, NaN comes behind −∞. A row with a NaN or +∞, or of −∞ alone, has NaN values.
// Reference: AttentionReference.
#include "types.clh"
#include "layer.clh"
#include "row_part.clh"
#include "group.clh"
#include "exp.clh"
#define NOWHERE INT_MAX
#define INFINITE ((int)0x7F800000)

// Integers that are in the order of the numbers they stand for; both zeros are one.
inline lane_ints keys_of(lanes x) {
    const lane_ints bits = select(AS_INTS(x), (lane_ints)(0), x == 0.0f);
    return select((lane_ints)(INT_MIN), bits ^ ((bits >> 31) & 0x7FFFFFFF), x == x);
}

typedef struct {
    int key, place;
} found;

inline found better(found a, found b) { return b.key > a.key || (b.key == a.key && b.place < a.place) ? b : a; }

// The best of all items.
#if ITEMS > 1
inline found group_best(found x, local int *keys, local int *places) {
    // Nobody still reads what was there.
    barrier(CLK_LOCAL_MEM_FENCE);
    const int item = ITEM;
    keys[item] = x.key;
    places[item] = x.place;
    for (int n = ITEMS / 2; n > 0; n /= 2) {
        // The numbers of this round are there.
        barrier(CLK_LOCAL_MEM_FENCE);
        if (item < n) {
            const found a = {keys[item], places[item]}, b = {keys[item + n], places[item + n]};
            const found best = better(a, b);
            keys[item] = best.key;
            places[item] = best.place;
        }
    }
    // All read the result.
    barrier(CLK_LOCAL_MEM_FENCE);
    const found all = {keys[0], places[0]};
    return all;
}
#else
inline found group_best(found x, local int *keys, local int *places) { return x; }
#endif

inline found best_lane(lane_ints key, lane_ints place) {
#if LANES > 1
    int keys[LANES], places[LANES];
    STORE_LANES(key, keys);
    STORE_LANES(place, places);
    found best = {keys[0], places[0]};
    for (int i = 1; i < LANES; ++i) {
        const found next = {keys[i], places[i]};
        best = better(best, next);
    }
#else
    const found best = {key, place};
#endif
    return best;
}

// Logits from column c on; −∞ for NaN and behind the end.
inline lanes logits(global const float *x, int c, int count) {
    const lanes t = row_part(x + c, count);
    const lane_ints is_real = (t == t) & (LANE_NUMBERS < (lane_ints)(count));
    return select((lanes)(-INFINITY), t, is_real);
}

// What comes next after `last`: smaller, or equal and further on.
inline found next_best(global const float *x, int columns, found last) {
    lane_ints best = (lane_ints)(INT_MIN), place = (lane_ints)(NOWHERE);
    for (int c = ITEM * LANES; c < columns; c += ITEMS * LANES) {
        const lane_ints key = keys_of(row_part(x + c, min(LANES, columns - c))), at = c + LANE_NUMBERS;
        const lane_ints is_open = (key < last.key) | ((key == last.key) & (at > last.place));
        const lane_ints takes = is_open & (at < columns) & ((key > best) | (place == NOWHERE));
        best = select(best, key, takes);
        place = select(place, at, takes);
    }
    return best_lane(best, place);
}

ROW_KERNEL select_top(
    global const float *x, global int *indices, global float *values, const select_layer p) {
    GROUP_ROOM(float, shared);
    GROUP_ROOM(int, keys);
    GROUP_ROOM(int, places);
    const int row = GROUP;
    x += matrix_row(p.x, row);
    lanes best = (lanes)(-INFINITY);
    lane_ints broken = (lane_ints)(0);
    for (int c = ITEM * LANES; c < p.columns; c += ITEMS * LANES) {
        const lanes t = row_part(x + c, min(LANES, p.columns - c));
        broken |= ((AS_INTS(t) & 0x7FFFFFFF) > INFINITE) | (AS_INTS(t) == INFINITE);
        const lanes counted = logits(x, c, min(LANES, p.columns - c));
        best = select(best, counted, counted > best);
    }
    const float largest = group_largest(largest_lane(best), shared);
    lanes sum = (lanes)(0.0f);
    for (int c = ITEM * LANES; c < p.columns; c += ITEMS * LANES)
        sum += exp_lanes(logits(x, c, min(LANES, p.columns - c)) - largest);
    const float log_sum = log(group_sum(sum_of_lanes(sum), shared));
    const bool is_broken = group_largest(ANY_LANE(broken) ? 1.0f : 0.0f, shared) > 0.0f || largest == -INFINITY;
    found last = {INT_MAX, -1};
    for (int n = 0; n < p.count; ++n) {
        last = group_best(next_best(x, p.columns, last), keys, places);
        if (ITEM == 0) {
            indices[matrix_row(p.indices, row) + n] = last.place;
            values[matrix_row(p.values, row) + n] = is_broken ? NAN : x[last.place] - largest - log_sum;
        }
    }
}
