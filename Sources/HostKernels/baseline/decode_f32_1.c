// decode_wide, baseline: f32, one row to a read of a key; and merge_wide
#include "../sets/baseline.h"
#define STORAGE f32
#define ROWS 1
#define HAS_MERGE
#include "../kernels/decode.h"
