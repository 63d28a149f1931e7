// The loops are written once, as macros, and compiled per instruction set by function attributes, so that nobody who
// depends on the package needs compiler flags. Which of them run is decided at run time.
#define _POSIX_C_SOURCE 200809L // clock_gettime, under -std=c2x
#include "BenchmarkLoops.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <time.h>

#define SUMS 12 // independent sums (10…16): more than latency times issue width of any processor met so far, 14 registers in all

typedef float float4 __attribute__((ext_vector_type(4)));
typedef float float8 __attribute__((ext_vector_type(8)));
typedef float float16 __attribute__((ext_vector_type(16)));
typedef uint32_t uint4 __attribute__((ext_vector_type(4)));
typedef uint32_t uint8 __attribute__((ext_vector_type(8)));
typedef uint32_t uint16 __attribute__((ext_vector_type(16)));

// x ← x·a + b for SUMS vectors. The empty asm keeps every sum in a register and the compiler from reasoning about it.
#define MULTIPLY_ADD_LOOP(NAME, TARGET, VECTOR, STEP)                                                                  \
    TARGET static float NAME(long steps) {                                                                             \
        VECTOR x[SUMS], a = (VECTOR)(0.999f), b = (VECTOR)(0.001f);                                                    \
        for (int i = 0; i < SUMS; ++i)                                                                                 \
            x[i] = (VECTOR)((float)i);                                                                                 \
        for (long n = 0; n < steps; ++n) {                                                                             \
            _Pragma("clang loop unroll(full)") for (int i = 0; i < SUMS; ++i) {                                        \
                x[i] = STEP(x[i], a, b);                                                                               \
                KEEP(x[i]);                                                                                            \
            }                                                                                                          \
        }                                                                                                              \
        VECTOR sum = x[0];                                                                                             \
        for (int i = 1; i < SUMS; ++i)                                                                                 \
            sum += x[i];                                                                                               \
        return sum[0];                                                                                                 \
    }

#define FUSED(x, a, b) __builtin_elementwise_fma(x, a, b)
#define SEPARATE(x, a, b) ((x) * (a) + (b))

// Sums of integers: an addition of floats would wait four cycles for the one before it.
#define READ_LOOP(NAME, TARGET, VECTOR, STREAMS, AHEAD)                                                                \
    TARGET static uint32_t NAME(const void *memory, size_t bytes) {                                                    \
        const VECTOR *from = memory;                                                                                   \
        const size_t stride = bytes / sizeof(VECTOR) / (STREAMS);                                                      \
        VECTOR sum[8];                                                                                                 \
        for (int i = 0; i < 8; ++i)                                                                                    \
            sum[i] = (VECTOR)(0);                                                                                      \
        for (size_t n = 0; n + 8 / (STREAMS) <= stride; n += 8 / (STREAMS)) {                                          \
            _Pragma("clang loop unroll(full)") for (int i = 0; i < 8; ++i) {                                           \
                const VECTOR *at = from + (size_t)(i % (STREAMS)) * stride + n + (size_t)(i / (STREAMS));              \
                if ((AHEAD) > 0 && i % 2 == 0)                                                                         \
                    __builtin_prefetch((const char *)at + (AHEAD), 0, 0);                                              \
                sum[i] += *at;                                                                                         \
            }                                                                                                          \
        }                                                                                                              \
        for (int i = 1; i < 8; ++i)                                                                                    \
            sum[0] += sum[i];                                                                                          \
        return sum[0][0];                                                                                              \
    }

#define READ_LOOPS(NAME, TARGET, VECTOR)                                                                               \
    READ_LOOP(NAME##_one, TARGET, VECTOR, 1, 0)                                                                        \
    READ_LOOP(NAME##_ahead, TARGET, VECTOR, 1, 1024)                                                                   \
    READ_LOOP(NAME##_two, TARGET, VECTOR, 2, 0)                                                                        \
    READ_LOOP(NAME##_four, TARGET, VECTOR, 4, 0)

typedef float (*multiply_add_loop)(long);
typedef uint32_t (*read_loop)(const void *, size_t);

typedef struct {
    const char *name;
    int lanes;
    multiply_add_loop multiply_add;
    read_loop reads[4];
} instruction_set;

#if defined(__x86_64__)
#define KEEP(x) __asm__ volatile("" : "+v"(x))
#define V4 __attribute__((target("avx512f,avx512vl,avx2,fma")))
#define V3 __attribute__((target("avx2,fma")))
MULTIPLY_ADD_LOOP(multiply_add_v4, V4, float16, FUSED)
READ_LOOPS(read_v4, V4, uint16)
MULTIPLY_ADD_LOOP(multiply_add_v3, V3, float8, FUSED)
READ_LOOPS(read_v3, V3, uint8)
#undef KEEP
#define KEEP(x) __asm__ volatile("" : "+x"(x))
MULTIPLY_ADD_LOOP(multiply_add_baseline, , float4, SEPARATE)
#elif defined(__aarch64__)
#define KEEP(x) __asm__ volatile("" : "+w"(x))
MULTIPLY_ADD_LOOP(multiply_add_baseline, , float4, FUSED)
#else
#define KEEP(x) (void)(x)
MULTIPLY_ADD_LOOP(multiply_add_baseline, , float4, SEPARATE)
#endif
READ_LOOPS(read_baseline, , uint4)

#define LOOPS(NAME) {NAME##_one, NAME##_ahead, NAME##_two, NAME##_four}
static const char *const read_names[4] = {"one stream", "one stream, prefetched", "two streams", "four streams"};

static const instruction_set baseline = {"baseline", 4, multiply_add_baseline, LOOPS(read_baseline)};
#if defined(__x86_64__)
static const instruction_set v4 = {"v4", 16, multiply_add_v4, LOOPS(read_v4)};
static const instruction_set v3 = {"v3", 8, multiply_add_v3, LOOPS(read_v3)};
#endif

// The sets this processor has, widest first.
static int available(const instruction_set *sets[3]) {
    int count = 0;
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl"))
        sets[count++] = &v4;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        sets[count++] = &v3;
#endif
    sets[count++] = &baseline;
    return count;
}

static const instruction_set *chosen(int index) {
    const instruction_set *sets[3];
    const int count = available(sets);
    return sets[index < 0 || index >= count ? count - 1 : index];
}

int benchmark_loops_optimised(void) {
#ifdef __OPTIMIZE__
    return 1;
#else
    return 0;
#endif
}

int benchmark_loops_instruction_sets(void) {
    const instruction_set *sets[3];
    return available(sets);
}

const char *benchmark_loops_instruction_set(int index) { return chosen(index)->name; }
int benchmark_loops_read_variants(void) { return 4; }
const char *benchmark_loops_read_variant(int variant) { return read_names[variant & 3]; }

// One thread's share of a measurement. All spin until `open` is set, so that starting threads is not measured.
typedef struct {
    const instruction_set *set;
    int variant;
    long steps;
    const char *memory;
    size_t bytes;
    atomic_int *ready, *open;
    uint32_t result;
} share;

static void *work(void *argument) {
    share *mine = argument;
    atomic_fetch_add(mine->ready, 1);
    while (!atomic_load_explicit(mine->open, memory_order_acquire)) {
    }
    if (mine->memory)
        mine->result = mine->set->reads[mine->variant](mine->memory, mine->bytes);
    else
        mine->result = (uint32_t)mine->set->multiply_add(mine->steps);
    return NULL;
}

#define MAXIMUM_THREADS 256
static volatile uint32_t sink;

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

// The caller is the last of the threads.
static double measure(share *shares, int threads) {
    pthread_t handles[MAXIMUM_THREADS];
    atomic_int ready = 0, open = 0;
    int started = 0;
    for (int i = 0; i < threads; ++i) {
        shares[i].ready = &ready;
        shares[i].open = &open;
    }
    while (started < threads - 1 && pthread_create(&handles[started], NULL, work, &shares[started]) == 0)
        ++started;
    while (atomic_load(&ready) < started) {
    }
    const double start = now();
    atomic_store_explicit(&open, 1, memory_order_release);
    if (started == threads - 1)
        work(&shares[threads - 1]);
    for (int i = 0; i < started; ++i)
        pthread_join(handles[i], NULL);
    const double seconds = now() - start;
    for (int i = 0; i < threads; ++i)
        sink += shares[i].result;
    return started == threads - 1 ? seconds : -1;
}

static int limited(int threads) { return threads < 1 ? 1 : threads > MAXIMUM_THREADS ? MAXIMUM_THREADS : threads; }

double benchmark_loops_multiply_add(int index, int threads, long steps, double *flops) {
    share shares[MAXIMUM_THREADS] = {0};
    const instruction_set *set = chosen(index);
    threads = limited(threads);
    for (int i = 0; i < threads; ++i)
        shares[i] = (share){.set = set, .steps = steps};
    *flops = 2.0 * SUMS * set->lanes * (double)steps * threads;
    return measure(shares, threads);
}

double benchmark_loops_read(int index, int variant, int threads, const void *memory, size_t bytes) {
    share shares[MAXIMUM_THREADS] = {0};
    threads = limited(threads);
    const size_t part = bytes / (size_t)threads & ~(size_t)4095;
    for (int i = 0; i < threads; ++i)
        shares[i] = (share){
            .set = chosen(index), .variant = variant & 3, .memory = (const char *)memory + part * (size_t)i, .bytes = part};
    return measure(shares, threads);
}
