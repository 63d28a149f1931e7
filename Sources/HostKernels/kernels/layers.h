// The kernels of layers but linear_wide: an instruction set's header comes first.
#include "../opencl_as_c.h"
#include "../../../Kernels/layers/additive_wide.cl"
#include "../../../Kernels/layers/embedding.cl"
#include "../../../Kernels/layers/layer_norm.cl"
#include "../../../Kernels/layers/pool.cl"
#include "../../../Kernels/layers/rotary.cl"
#include "../../../Kernels/layers/select_top.cl"
#include "entry.h"

// copy, once for each size of elements.
#define ELEMENT uchar
#define copy copy_1
#include "../../../Kernels/layers/copy.cl"
#undef ELEMENT
#undef copy
#define ELEMENT ushort
#define copy copy_2
#include "../../../Kernels/layers/copy.cl"
#undef ELEMENT
#undef copy
#define ELEMENT uint
#define copy copy_4
#include "../../../Kernels/layers/copy.cl"
#undef ELEMENT
#undef copy
#define ELEMENT uint64_t
#define copy copy_8
#include "../../../Kernels/layers/copy.cl"
#undef ELEMENT
#undef copy

// Their private arrays fit a stack.
#define DEFINE_LAYER(name, TOLD, RUN_ITEM)                                                                            \
    DEFINE_ENTRY_OF(PASTE(PASTE(host_, SET), name), host_layer_call, TOLD, 0, RUN_ITEM)                               \
    size_t PASTE(PASTE(PASTE(host_, SET), name), _bytes)(int32_t room) { return 0; }

DEFINE_LAYER(
    _layer_norm, norm_layer, layer_norm(call->x, call->second, call->weight, call->bias, call->also, call->o, p))
DEFINE_LAYER(
    _embedding, embedding_layer, embedding(call->x, call->second, call->third, call->numbers, call->o, p))
DEFINE_LAYER(_rotary, rotary_layer, rotary(call->x, call->second, call->third, call->numbers, call->o, p))
DEFINE_LAYER(_pool, pool_layer, pool(call->x, call->numbers, call->o, p))
DEFINE_LAYER(_select_top, select_layer, select_top(call->x, call->also, call->o, p))
DEFINE_LAYER(
    _additive, additive_layer,
    additive_wide(call->x, call->second, call->third, call->weight, call->numbers, call->o, call->also, p))
DEFINE_LAYER(_copy_1, copy_layer, copy_1(call->x, call->numbers, call->o, p))
DEFINE_LAYER(_copy_2, copy_layer, copy_2(call->x, call->numbers, call->o, p))
DEFINE_LAYER(_copy_4, copy_layer, copy_4(call->x, call->numbers, call->o, p))
DEFINE_LAYER(_copy_8, copy_layer, copy_8(call->x, call->numbers, call->o, p))
#ifdef HAS_SIZES
size_t host_kernels_layer_bytes(host_layer layer) {
    switch (layer) {
    case host_layer_linear: return sizeof(linear_layer);
    case host_layer_norm: return sizeof(norm_layer);
    case host_layer_embedding: return sizeof(embedding_layer);
    case host_layer_rotary: return sizeof(rotary_layer);
    case host_layer_pool: return sizeof(pool_layer);
    case host_layer_select: return sizeof(select_layer);
    case host_layer_copy: return sizeof(copy_layer);
    case host_layer_additive: return sizeof(additive_layer);
    }
    return 0;
}
#endif
#if HAS_ATTRIBUTES
#pragma clang attribute pop
#endif
