// decode_wide, v3: f32, one row to a read of a key; and merge_wide
#if defined(__x86_64__)
#include "../sets/v3.h"
#define STORAGE f32
#define ROWS 1
#define HAS_MERGE
#include "../kernels/decode.h"
#endif
