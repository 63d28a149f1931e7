// opencl_as_c — what the wide kernels use of OpenCL C, in C with clang's vector extensions. The one place where the two differ.
//   An instruction set's header (sets/) comes first: LANES, HAS_FMA, HAS_HALVES.
//   Left out: local memory, barriers, images, and whatever else no wide kernel uses.
#pragma once

#define global
#define local
#define inline static inline __attribute__((always_inline))
#define WIDE_KERNEL inline void
#define kernel inline
#define HAS_FLAT_MEMORY 1
#define HAS_MASK 1 // told at run time: STORAGE_none

#define PASTE_(a, b) a##b
#define PASTE(a, b) PASTE_(a, b)

typedef unsigned char uchar;
typedef unsigned short ushort;
typedef unsigned int uint;
typedef struct { ushort bits; } half;

typedef float float_lanes __attribute__((ext_vector_type(LANES)));
typedef int int_lanes __attribute__((ext_vector_type(LANES)));
typedef uint uint_lanes __attribute__((ext_vector_type(LANES)));
typedef ushort ushort_lanes __attribute__((ext_vector_type(LANES)));
typedef uchar uchar_lanes __attribute__((ext_vector_type(LANES)));
typedef float_lanes PASTE(float, LANES);
typedef int_lanes PASTE(int, LANES);
typedef ushort_lanes PASTE(ushort, LANES);

// MARK: where a work-item is, and its private memory

typedef struct {
    size_t id[3], size[2];
    int room;
    char *next; // private memory that is not taken yet
} host_item;
static _Thread_local host_item item_here;

#define get_global_id(dimension) (item_here.id[dimension])
#define get_global_size(dimension) (item_here.size[dimension])
#define ROOM (item_here.room)

// Whole lines of the cache, so that vectors are aligned.
#define PRIVATE_BYTES(type, count) ((sizeof(type) * (size_t)(count) + 63) & ~(size_t)63)
inline void *take_private(size_t bytes) {
    void *const taken = item_here.next;
    item_here.next += bytes;
    return __builtin_assume_aligned(taken, 64);
}
#define PRIVATE(type, name, count) type *const name = take_private(PRIVATE_BYTES(type, count))

// MARK: arithmetic

#if HAS_FMA
#define MULADD(a, b, c) __builtin_elementwise_fma(a, b, c)
#else
#define MULADD(a, b, c) ((a) * (b) + (c))
#endif
#pragma STDC FP_CONTRACT OFF

#define min(a, b) __builtin_elementwise_min(a, b)
#define max(a, b) __builtin_elementwise_max(a, b)
#define fmax(a, b) __builtin_elementwise_max(a, b)
#define fmin(a, b) __builtin_elementwise_min(a, b)
#define clamp(x, low, high) min(max(x, low), high)
#define abs(x) __builtin_elementwise_abs(x)
#define any(c) (__builtin_reduce_or(c) < 0)
#define sqrt(x) __builtin_sqrtf(x)
#define OVERLOAD inline __attribute__((overloadable))

// The sign bits of c choose b.
OVERLOAD float_lanes select(float_lanes a, float_lanes b, int_lanes c) { return c < 0 ? b : a; }
OVERLOAD int_lanes select(int_lanes a, int_lanes b, int_lanes c) { return c < 0 ? b : a; }

OVERLOAD float log(float x) { return logf(x); }
OVERLOAD float_lanes log(float_lanes x) {
    for (int i = 0; i < LANES; ++i)
        x[i] = logf(x[i]);
    return x;
}
OVERLOAD float_lanes tanh(float_lanes x) {
    for (int i = 0; i < LANES; ++i)
        x[i] = tanhf(x[i]);
    return x;
}

// MARK: bits and conversions

inline int as_int(float x) { int y; memcpy(&y, &x, 4); return y; }
inline uint as_uint(float x) { uint y; memcpy(&y, &x, 4); return y; }
OVERLOAD float as_float(int x) { float y; memcpy(&y, &x, 4); return y; }
OVERLOAD float as_float(uint x) { float y; memcpy(&y, &x, 4); return y; }
#define as_int_lanes(x) ((int_lanes)(x))
#define as_float_lanes(x) ((float_lanes)(x))
#define convert_int_lanes(x) __builtin_convertvector(x, int_lanes)
#define convert_float_lanes(x) __builtin_convertvector(x, float_lanes)
#define convert_ushort_lanes(x) __builtin_convertvector(x, ushort_lanes)

// MARK: memory

#define DEFINE_VECTOR_ACCESS(T)                                                                                       \
    OVERLOAD T##_lanes vload(size_t n, const T *from) {                                                               \
        T##_lanes x;                                                                                                  \
        memcpy(&x, from + n * LANES, sizeof x);                                                                       \
        return x;                                                                                                     \
    }                                                                                                                 \
    OVERLOAD void vstore(T##_lanes x, size_t n, T *to) { memcpy(to + n * LANES, &x, sizeof x); }
DEFINE_VECTOR_ACCESS(float)
DEFINE_VECTOR_ACCESS(int)
DEFINE_VECTOR_ACCESS(ushort)
DEFINE_VECTOR_ACCESS(uchar)

#if HAS_HALVES
typedef _Float16 half_lanes __attribute__((ext_vector_type(LANES)));
inline float_lanes floats_of(ushort_lanes x) { return __builtin_convertvector((half_lanes)x, float_lanes); }
inline ushort_lanes halves_of(float_lanes x) { return (ushort_lanes)__builtin_convertvector(x, half_lanes); }
#else
// A half has 5 bits of exponent, biased by 15, and 10 of fraction. Subnormal ones come out of the product by themselves.
inline float_lanes floats_of(ushort_lanes x) {
    const int_lanes bits = convert_int_lanes(x), size = (bits & 0x7FFF) << 13;
    const int_lanes finite = (int_lanes)((float_lanes)size * 0x1p112f);
    return (float_lanes)(select(finite, size | 0x7F800000, (bits & 0x7FFF) >= 0x7C00) | ((bits & 0x8000) << 16));
}
// To nearest even: by the adder among the subnormal ones, whose unit is that of numbers just over 0.5, else by adding just under
// half of what is cut off.
inline ushort_lanes halves_of(float_lanes x) {
    const int_lanes bits = (int_lanes)x, size = bits & 0x7FFFFFFF;
    const int_lanes small = (int_lanes)((float_lanes)size + 0.5f) - 0x3F000000;
    int_lanes half = select((size - 0x38000000 + 0xFFF + ((size >> 13) & 1)) >> 13, small, size < 0x38800000);
    half = select(half, (int_lanes)(0x7C00), size >= 0x47800000);
    half = select(half, (int_lanes)(0x7E00), size > 0x7F800000);
    return convert_ushort_lanes(half | ((bits >> 16) & 0x8000));
}
#endif
inline float vload_half(size_t n, const half *from) { return floats_of((ushort_lanes)(from[n].bits))[0]; }
inline void vstore_half_rte(float x, size_t n, half *to) { to[n].bits = halves_of((float_lanes)(x))[0]; }
inline float_lanes vload_half_lanes(size_t n, const half *from) { return floats_of(vload(n, (const ushort *)from)); }
inline void vstore_half_lanes_rte(float_lanes x, size_t n, half *to) { vstore(halves_of(x), n, (ushort *)to); }

// The names with a number of lanes in them.
#if LANES == 16
#define vload16 vload
#define vstore16 vstore
#define as_int16 as_int_lanes
#define as_float16 as_float_lanes
#define convert_int16 convert_int_lanes
#define convert_float16 convert_float_lanes
#define convert_ushort16 convert_ushort_lanes
#define vload_half16 vload_half_lanes
#define vstore_half16_rte vstore_half_lanes_rte
#define LANE_NUMBERS ((int_lanes){0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15})
#define EVENS(a, b) __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30)
#define ODDS(a, b) __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31)
#elif LANES == 8
#define vload8 vload
#define vstore8 vstore
#define as_int8 as_int_lanes
#define as_float8 as_float_lanes
#define convert_int8 convert_int_lanes
#define convert_float8 convert_float_lanes
#define convert_ushort8 convert_ushort_lanes
#define vload_half8 vload_half_lanes
#define vstore_half8_rte vstore_half_lanes_rte
#define LANE_NUMBERS ((int_lanes){0, 1, 2, 3, 4, 5, 6, 7})
#define EVENS(a, b) __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14)
#define ODDS(a, b) __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15)
#else
#define vload4 vload
#define vstore4 vstore
#define as_int4 as_int_lanes
#define as_float4 as_float_lanes
#define convert_int4 convert_int_lanes
#define convert_float4 convert_float_lanes
#define convert_ushort4 convert_ushort_lanes
#define vload_half4 vload_half_lanes
#define vstore_half4_rte vstore_half_lanes_rte
#define LANE_NUMBERS ((int_lanes){0, 1, 2, 3})
#define EVENS(a, b) __builtin_shufflevector(a, b, 0, 2, 4, 6)
#define ODDS(a, b) __builtin_shufflevector(a, b, 1, 3, 5, 7)
#endif
