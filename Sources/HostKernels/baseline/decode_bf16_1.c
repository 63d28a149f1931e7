// decode_wide, baseline: bf16, one row to a read of a key
#include "../sets/baseline.h"
#define STORAGE bf16
#define ROWS 1
#include "../kernels/decode.h"
