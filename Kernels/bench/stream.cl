// stream — how fast the device reads memory: for `attend bench`, not for attention.
//   out[item] = Σ of the item's share of `count` vectors of LANES
// Launch: global (items), any local: item i reads the i-th contiguous share, four sums at a time.
#include "types.clh"

kernel void stream(global const float *in, global float *out, const long count) {
    const long share = count / (long)get_global_size(0);
    global const float *from = in + (long)get_global_id(0) * share * LANES;
    lanes sum[4];
    for (int i = 0; i < 4; ++i)
        sum[i] = (lanes)(0.0f);
    for (long n = 0; n + 4 <= share; n += 4)
#pragma unroll
        for (int i = 0; i < 4; ++i)
            sum[i] += LOAD_LANES(from + (n + i) * LANES);
    const lanes total = (sum[0] + sum[1]) + (sum[2] + sum[3]);
    float row[LANES];
    STORE_LANES(total, row);
    for (int i = 1; i < LANES; ++i)
        row[0] += row[i];
    out[get_global_id(0)] = row[0];
}
