// v4 — AVX-512 of the x86-64-v4 level. Named feature by feature: by its level's name clang would halve the vectors.
#include "system.h"
#define SET v4
#define LANES 16
#define HAS_FMA 1
#define HAS_HALVES 1
#define HAS_ATTRIBUTES 1 // popped at the end of the file
#pragma clang attribute push(                                                                                         \
    __attribute__((target("avx512f,avx512bw,avx512cd,avx512dq,avx512vl,avx2,fma,f16c,bmi,bmi2,lzcnt,movbe,popcnt"))), \
    apply_to = function)
