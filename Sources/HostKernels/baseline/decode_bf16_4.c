// decode_wide, baseline: bf16, 4 rows share a read of a key
#include "../sets/baseline.h"
#define STORAGE bf16
#define ROWS 4
#include "../kernels/decode.h"
