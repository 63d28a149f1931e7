// decode_wide, baseline: f16, 4 rows share a read of a key
#include "../sets/baseline.h"
#define STORAGE f16
#define ROWS 4
#include "../kernels/decode.h"
