// decode_wide, baseline: f16, one row to a read of a key
#include "../sets/baseline.h"
#define STORAGE f16
#define ROWS 1
#include "../kernels/decode.h"
