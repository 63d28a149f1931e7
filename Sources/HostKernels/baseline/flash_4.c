// flash_wide, baseline: 8 or 16 sums, 4 queries
#include "../sets/baseline.h"
#define QUERY_VECTORS 4
#if defined(__aarch64__)
#define TILE_K 4 // 16 of 32 registers; not measured
#define TILE_V 4
#else
#define TILE_K 2 // 8 of 16 registers, products apart from sums
#define TILE_V 2
#endif
#include "../kernels/flash.h"
