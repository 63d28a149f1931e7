// flash_wide, v4: 16 sums, for few queries
#if defined(__x86_64__)
#include "../sets/v4.h"
#define QUERY_VECTORS 2
#define TILE_K 8
#define TILE_V 8
#include "../kernels/flash.h"
#endif
