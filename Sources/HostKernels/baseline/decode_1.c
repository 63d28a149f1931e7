// decode_wide, baseline: one row to a read of a key; and merge_wide
#include "../sets/baseline.h"
#define ROWS 1
#define HAS_MERGE
#include "../kernels/decode.h"
