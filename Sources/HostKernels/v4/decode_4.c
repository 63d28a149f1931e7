// decode_wide, v4: 4 rows share a read of a key
#if defined(__x86_64__)
#include "../sets/v4.h"
#define ROWS 4
#include "../kernels/decode.h"
#endif
