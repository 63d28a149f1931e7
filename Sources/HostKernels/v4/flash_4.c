// flash_wide, v4: 16 sums, 4 queries and 1 to spare of 32 registers
#if defined(__x86_64__)
#include "../sets/v4.h"
#define QUERY_VECTORS 4
#define TILE_K 4
#define TILE_V 4
#include "../kernels/flash.h"
#endif
