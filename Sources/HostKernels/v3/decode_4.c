// decode_wide, v3: 4 rows share a read of a key
#if defined(__x86_64__)
#include "../sets/v3.h"
#define ROWS 4
#include "../kernels/decode.h"
#endif
