// decode_wide, baseline: f32, 4 rows share a read of a key
#include "../sets/baseline.h"
#define STORAGE f32
#define ROWS 4
#include "../kernels/decode.h"
