// decode_wide, v4: one row to a read of a key; and merge_wide
#if defined(__x86_64__)
#include "../sets/v4.h"
#define ROWS 1
#define HAS_MERGE
#include "../kernels/decode.h"
#endif
