// flash_wide for one tile: an instruction set's header, QUERY_VECTORS, TILE_K and TILE_V come first.
#include "../opencl_as_c.h"
#define BLOCK_TILES 8
#include "../../../Kernels/attention/flash_wide.cl"
#include "entry.h"

#define NAME_(set, vectors) host_##set##_flash_##vectors
#define NAME(set, vectors) NAME_(set, vectors)

DEFINE_ENTRY(
    NAME(SET, QUERY_VECTORS),
    flash_wide(
        call->q, call->k, call->v, call->o, call->lse, call->mask, call->slopes, call->sinks, call->segments,
        call->blocks, p))

size_t PASTE(NAME(SET, QUERY_VECTORS), _bytes)(int32_t room) {
    return PRIVATE_BYTES(lanes, (size_t)BLOCK_TILES * room * QUERY_VECTORS) * 2 +
           PRIVATE_BYTES(lanes, (size_t)(TILE_J + TILE_K) * room / LANES) +
           PRIVATE_BYTES(lanes, (size_t)TILE_J * room / LANES) + PRIVATE_BYTES(lanes, TILE_J * QUERY_VECTORS) * 2;
}
#if HAS_ATTRIBUTES
#pragma clang attribute pop
#endif
