// flash_wide, baseline: 8 sums, for few queries
#include "../sets/baseline.h"
#define QUERY_VECTORS 1
#define TILE_K 8
#define TILE_V 8
#include "../kernels/flash.h"
