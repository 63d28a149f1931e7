// flash_wide, v4: 12 and 8 sums, for fewer still
#if defined(__x86_64__)
#include "../sets/v4.h"
#define QUERY_VECTORS 1
#define TILE_K 12
#define TILE_V 8
#include "../kernels/flash.h"
#endif
