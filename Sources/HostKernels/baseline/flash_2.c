// flash_wide, baseline: 8 sums, 2 queries, products apart from sums, of 16 registers
#include "../sets/baseline.h"
#define QUERY_VECTORS 2
#define TILE_K 4
#define TILE_V 4
#include "../kernels/flash.h"
