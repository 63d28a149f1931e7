// v3 — AVX2, FMA and F16C of the x86-64-v3 level.
#include "system.h"
#define SET v3
#define LANES 8
#define HAS_FMA 1
#define HAS_HALVES 1
#define HAS_ATTRIBUTES 1 // popped at the end of the file
#pragma clang attribute push(                                                                                         \
    __attribute__((target("avx2,fma,f16c,bmi,bmi2,lzcnt,movbe,popcnt"))), apply_to = function)
