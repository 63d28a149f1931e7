// decode_wide for a number of rows, and merge_wide: an instruction set's header and ROWS come first.
#include "../opencl_as_c.h"
// Eight or sixteen sums hide the latency of a multiply-add and leave registers for the values.
#define TILE_C (ROWS == 4 || LANES == 4 ? 4 : 8)
#include "../../../Kernels/attention/decode_wide.cl"
#include "../../../Kernels/attention/merge_wide.cl"
#include "entry.h"

#define NAME PASTE(PASTE(PASTE(host_, SET), _decode_), ROWS)

DEFINE_ENTRY(
    NAME, decode_wide(
              call->q, call->k, call->v, call->o, call->lse, call->mask, call->slopes, call->sinks, call->segments,
              call->blocks, call->scratch, p))

size_t PASTE(NAME, _bytes)(int32_t room) {
    return PRIVATE_BYTES(lanes, BLOCK_ROWS * (room / LANES)) * 2 + PRIVATE_BYTES(lanes, ROWS * (room / LANES));
}

#ifdef HAS_MERGE
DEFINE_ENTRY(
    PASTE(PASTE(host_, SET), _merge),
    merge_wide(call->scratch, call->sinks, call->o, call->lse, call->segments, p))

size_t PASTE(PASTE(host_, SET), _merge_bytes)(int32_t room) { return PRIVATE_BYTES(lanes, room / LANES) * 2; }
#endif
#if HAS_ATTRIBUTES
#pragma clang attribute pop
#endif
