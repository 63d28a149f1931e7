// flash_wide, v3: 8 sums, for few queries
#if defined(__x86_64__)
#include "../sets/v3.h"
#define QUERY_VECTORS 1
#define TILE_K 8
#define TILE_V 8
#include "../kernels/flash.h"
#endif
