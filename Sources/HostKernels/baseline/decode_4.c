// decode_wide, baseline: 4 rows share a read of a key
#include "../sets/baseline.h"
#define ROWS 4
#include "../kernels/decode.h"
