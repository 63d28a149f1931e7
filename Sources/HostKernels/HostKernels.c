// The tables of what is compiled, and the choice of what this processor can run.
#include "HostKernels.h"

#define DECLARE(name)                                                                                                 \
    void name(const void *, intptr_t, intptr_t, void *);                                                              \
    size_t name##_bytes(int32_t)

// One row a file in v4/, v3/ and baseline/: the tiles say the same as there.
#define FLASH(set, vectors, k, v, speed)                                                                                     \
    {.name = "flash_wide", .run = host_##set##_flash_##vectors, .private_bytes = host_##set##_flash_##vectors##_bytes, \
     .query_vectors = vectors, .tile_k = k, .tile_v = v, .relative_speed = speed}
#define DECODE(set, count)                                                                                            \
    {.name = "decode_wide", .run = host_##set##_decode_##count,                                                       \
     .private_bytes = host_##set##_decode_##count##_bytes, .rows = count}
#define PLAIN(set, kernel)                                                                                            \
    {.name = #kernel, .run = host_##set##_##kernel, .private_bytes = host_##set##_##kernel##_bytes}

// What every set has beside flash_wide.
#define DECLARE_REST(set)                                                                                             \
    DECLARE(host_##set##_decode_1);                                                                                   \
    DECLARE(host_##set##_decode_4);                                                                                   \
    DECLARE(host_##set##_merge);                                                                                      \
    DECLARE(host_##set##_scores);                                                                                     \
    DECLARE(host_##set##_softmax);                                                                                    \
    DECLARE(host_##set##_weighted_sum);                                                                               \
    DECLARE(host_##set##_score_output);                                                                               \
    DECLARE(host_##set##_linear);                                                                                     \
    DECLARE(host_##set##_layer_norm);                                                                                 \
    DECLARE(host_##set##_embedding);                                                                                  \
    DECLARE(host_##set##_rotary);                                                                                     \
    DECLARE(host_##set##_pool);                                                                                       \
    DECLARE(host_##set##_select_top);                                                                                 \
    DECLARE(host_##set##_additive);                                                                                   \
    DECLARE(host_##set##_copy_1);                                                                                     \
    DECLARE(host_##set##_copy_2);                                                                                     \
    DECLARE(host_##set##_copy_4);                                                                                     \
    DECLARE(host_##set##_copy_8)
#define REST(set)                                                                                                     \
    .decode = {DECODE(set, 1), DECODE(set, 4)}, .merge = PLAIN(set, merge), .scores = PLAIN(set, scores),               \
    .softmax = PLAIN(set, softmax), .weighted_sum = PLAIN(set, weighted_sum),                                         \
    .score_output = PLAIN(set, score_output)
#define LAYERS(set, rows_here)                                                                                        \
    .layers = {                                                                                                       \
        .linear = {.name = "linear_wide", .run = host_##set##_linear, .private_bytes = host_##set##_linear_bytes,     \
                   .query_vectors = 2, .rows = rows_here},                                                            \
        .layer_norm = PLAIN(set, layer_norm), .embedding = PLAIN(set, embedding), .rotary = PLAIN(set, rotary),       \
        .pool = PLAIN(set, pool), .select_top = PLAIN(set, select_top), .additive = PLAIN(set, additive),             \
        .copy = {PLAIN(set, copy_1), PLAIN(set, copy_2), PLAIN(set, copy_4), PLAIN(set, copy_8)}}

#if defined(__x86_64__)
DECLARE(host_v4_flash_4);
DECLARE(host_v4_flash_2);
DECLARE(host_v4_flash_1);
DECLARE_REST(v4);
static const host_instruction_set v4 = {
    .name = "v4",
    .lanes = 16,
    .flash = {FLASH(v4, 4, 4, 4, 1.0f), FLASH(v4, 2, 8, 8, 0.97f), FLASH(v4, 1, 12, 8, 0.87f)},
    REST(v4),
    LAYERS(v4, 14)};
DECLARE(host_v3_flash_2);
DECLARE(host_v3_flash_1);
DECLARE_REST(v3);
static const host_instruction_set v3 = {
    .name = "v3", .lanes = 8, .flash = {FLASH(v3, 2, 4, 4, 1.0f), FLASH(v3, 1, 8, 8, 0.92f)}, REST(v3),
    LAYERS(v3, 6)};
#endif
DECLARE(host_baseline_flash_8);
DECLARE(host_baseline_flash_4);
DECLARE(host_baseline_flash_1);
DECLARE_REST(baseline);
static const host_instruction_set baseline = {
    .name = "baseline",
    .lanes = 4,
#if defined(__aarch64__)
    // By the number of registers; not measured.
    .flash = {FLASH(baseline, 4, 4, 4, 1.0f), FLASH(baseline, 8, 1, 1, 0.5f), FLASH(baseline, 1, 8, 8, 0.8f)},
#else
    .flash = {FLASH(baseline, 8, 1, 1, 1.0f), FLASH(baseline, 4, 2, 2, 0.97f), FLASH(baseline, 1, 8, 8, 0.72f)},
#endif
    REST(baseline),
    LAYERS(baseline, 4)};

// Widest first. What is asked of the processor is what sets/ names.
static int available(const host_instruction_set *sets[3]) {
    int count = 0;
#if defined(__x86_64__)
    __builtin_cpu_init();
    const int is_v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c") &&
                      __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("lzcnt") &&
                      __builtin_cpu_supports("movbe") && __builtin_cpu_supports("popcnt");
    if (is_v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
        sets[count++] = &v4;
    if (is_v3)
        sets[count++] = &v3;
#endif
    sets[count++] = &baseline;
    return count;
}

int host_kernels_optimised(void) {
#ifdef __OPTIMIZE__
    return 1;
#else
    return 0;
#endif
}

int host_kernels_count(void) {
    const host_instruction_set *sets[3];
    return available(sets);
}

const host_instruction_set *host_kernels_set(int index) {
    const host_instruction_set *sets[3];
    const int count = available(sets);
    return sets[index < 0 || index >= count ? count - 1 : index];
}
