// decode_wide, v4: bf16, one row to a read of a key
#if defined(__x86_64__)
#include "../sets/v4.h"
#define STORAGE bf16
#define ROWS 1
#include "../kernels/decode.h"
#endif
