// flash_wide, v3: 8 sums, 2 queries, of 16 registers; 12 sums of 3 queries spill
#if defined(__x86_64__)
#include "../sets/v3.h"
#define QUERY_VECTORS 2
#define TILE_K 4
#define TILE_V 4
#include "../kernels/flash.h"
#endif
