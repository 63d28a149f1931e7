// peak — how many multiply-adds the device does: for `attend bench`, not for attention.
//   x ← x·a + b, SUMS independent vectors of LANES, `steps` times, as the kernels write it: where the device has no fused
//   instruction, fma() is a long function.
// Launch: global (items), any local: each work-item stores the sum of its vectors, so that nothing can be left out.
// Two operations a lane and step.
#ifndef SUMS
#define SUMS 12 // independent sums (10…16): more than latency times issue width
#endif
#include "types.clh"

kernel void peak(global float *out, const float a, const float b, const int steps) {
    lanes x[SUMS];
#pragma unroll
    for (int i = 0; i < SUMS; ++i)
        x[i] = (lanes)(a * (float)i);
    for (int n = 0; n < steps; ++n)
#pragma unroll
        for (int i = 0; i < SUMS; ++i)
            x[i] = MULADD(x[i], (lanes)(a), (lanes)(b));
    lanes sum = x[0];
#pragma unroll
    for (int i = 1; i < SUMS; ++i)
        sum += x[i];
    float row[LANES];
    STORE_LANES(sum, row);
    for (int i = 1; i < LANES; ++i)
        row[0] += row[i];
    out[get_global_id(0)] = row[0];
}
