// The staged kernels: an instruction set's header and the tiles come first.
#include "../opencl_as_c.h"
#include "../../../Kernels/attention/scores.cl"
#include "../../../Kernels/attention/softmax.cl"
#include "../../../Kernels/attention/weighted_sum.cl"
#include "../../../Kernels/attention/score_output.cl"
#include "entry.h"

// Their private arrays fit a stack.
#define DEFINE_STAGED(name, RUN_ITEM)                                                                                 \
    DEFINE_ENTRY(PASTE(PASTE(host_, SET), name), RUN_ITEM)                                                            \
    size_t PASTE(PASTE(PASTE(host_, SET), name), _bytes)(int32_t room) { return 0; }

DEFINE_STAGED(_scores, scores(call->q, call->k, call->scratch, call->segments, p))
DEFINE_STAGED(
    _softmax, softmax(call->scratch, call->inverse_sum, call->lse, call->mask, call->slopes, call->sinks, call->segments, p))
DEFINE_STAGED(_weighted_sum, weighted_sum(call->scratch, call->inverse_sum, call->v, call->o, call->segments, p))
DEFINE_STAGED(
    _score_output,
    score_output(call->scratch, call->inverse_sum, call->scores, call->mask, call->slopes, call->segments, p))
#if HAS_ATTRIBUTES
#pragma clang attribute pop
#endif
