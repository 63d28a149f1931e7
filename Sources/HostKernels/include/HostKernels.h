// The wide kernels of Kernels/attention compiled as C, once for each instruction set, and which of them this processor has.
//
// A kernel works on the items of a call, which are what OpenCL calls work-items; items are independent of each other, so that they
// may be shared among threads in any way.
#pragma once
#include <stddef.h>
#include <stdint.h>

/// The operands of one launch, under the names they have in the kernels. Each kernel takes those it needs.
typedef struct {
    const void *_Nullable q, *_Nullable k, *_Nullable v, *_Nullable mask;
    void *_Nullable o;
    float *_Nullable lse;
    const float *_Nullable slopes, *_Nullable sinks;
    const void *_Nullable segments;
    const int32_t *_Nullable blocks;
    /// Scores of the staged kernels, or parts of split keys.
    float *_Nullable scratch;
    float *_Nullable inverse_sum;
    void *_Nullable scores;
    /// The `problem` of Kernels/common/problem.clh.
    const void *_Nullable problem;
    /// Work-items by dimension: item = x + width·(y + height·z).
    int64_t width, height;
    /// Room for D and Dv: a multiple of the lanes and of 16.
    int32_t room;
} host_call;

/// The operands of one launch of a kernel of Kernels/layers. Each kernel takes those it needs.
typedef struct {
    /// What is read: the input, or queries, logits, a source, the first table; then what comes after it in the kernel's arguments.
    const void *_Nullable x, *_Nullable second, *_Nullable third;
    const void *_Nullable weight;
    const float *_Nullable bias;
    /// Indices, positions, offsets, entries or lengths.
    const int32_t *_Nullable numbers;
    void *_Nullable o;
    /// A second result: the sum, the indices, the probabilities.
    void *_Nullable also;
    /// The kernel's structure of Kernels/common/layer.clh.
    const void *_Nullable problem;
    /// Work-items by dimension: item = x + width·(y + height·z).
    int64_t width, height;
} host_layer_call;

/// Runs items first … last − 1 of the `host_call` or `host_layer_call` behind `call`; `memory` has at least the kernel's private bytes, aligned to 64.
typedef void (*host_work)(const void *_Nonnull call, intptr_t first, intptr_t last, void *_Nullable memory);

// Constants that any thread may read.
#define HOST_SENDABLE __attribute__((swift_attr("@Sendable")))

/// One kernel of one instruction set.
typedef struct HOST_SENDABLE {
    const char *_Nullable name;
    host_work _Nullable run;
    /// Memory that one thread needs while it runs, in bytes.
    size_t (*_Nullable private_bytes)(int32_t room);
    /// What its tiles are: 0 where it has no such.
    int32_t query_vectors, tile_k, tile_v, rows;
    /// Against the fastest variant of the same kernel, where every lane has a query.
    float relative_speed;
} host_kernel;

/// The most tiles of `flash_wide`.
#define HOST_FLASH_TILES 3

/// The kernels of layers.
typedef struct HOST_SENDABLE {
    /// `query_vectors` are the vectors of outputs, `rows` the rows of its tile.
    host_kernel linear;
    host_kernel layer_norm, embedding, rotary, pool, select_top, additive;
    /// For elements of 1, 2, 4 and 8 bytes.
    host_kernel copy[4];
} host_layer_kernels;

/// One instruction set.
typedef struct HOST_SENDABLE {
    /// `v4`, `v3` or `baseline`.
    const char *_Nonnull name;
    /// Floats in a vector.
    int32_t lanes;
    /// Widest tile first; entries without a name are absent.
    host_kernel flash[HOST_FLASH_TILES];
    /// For one row, and for rows that share a read of a key.
    host_kernel decode[2];
    host_kernel merge, scores, softmax, weighted_sum, score_output;
    host_layer_kernels layers;
} host_instruction_set;

/// True if the kernels were compiled with optimisation: without it they are some fifty times slower.
int host_kernels_optimised(void);

/// Sizes of `view`, `segment` and `problem`, which Swift writes byte for byte.
size_t host_kernels_view_bytes(void);
size_t host_kernels_segment_bytes(void);
size_t host_kernels_problem_bytes(void);

/// The structures of Kernels/common/layer.clh.
typedef enum {
    host_layer_linear,
    host_layer_norm,
    host_layer_embedding,
    host_layer_rotary,
    host_layer_pool,
    host_layer_select,
    host_layer_copy,
    host_layer_additive
} host_layer;

/// The size of one of them, which Swift writes byte for byte.
size_t host_kernels_layer_bytes(host_layer layer);

/// Instruction sets that this processor has, widest first: at least one.
int host_kernels_count(void);
const host_instruction_set *_Nonnull host_kernels_set(int index);
