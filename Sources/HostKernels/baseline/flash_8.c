// flash_wide, baseline: 8 sums that share one broadcast, which costs two instructions without AVX
#include "../sets/baseline.h"
#define QUERY_VECTORS 8
#define TILE_K 1
#define TILE_V 1
#include "../kernels/flash.h"
