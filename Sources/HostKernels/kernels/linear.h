// linear_wide: an instruction set's header, VECTORS and TILE_M come first.
#include "../opencl_as_c.h"
#include "../../../Kernels/layers/linear_wide.cl"
#include "entry.h"

#define NAME PASTE(PASTE(host_, SET), _linear)

DEFINE_ENTRY_OF(
    NAME, host_layer_call, linear_layer, 0, linear_wide(call->x, call->weight, call->bias, call->second, call->o, p))

size_t PASTE(NAME, _bytes)(int32_t room) {
    return PRIVATE_BYTES(lanes, TILE_M * ROW_ROOM / LANES) + PRIVATE_BYTES(lanes, MOST_PANELS * TILE_M * VECTORS);
}
#if HAS_ATTRIBUTES
#pragma clang attribute pop
#endif
