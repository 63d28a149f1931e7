// The staged kernels, v3.
#if defined(__x86_64__)
#include "../sets/v3.h"
// As the row of StagedTiles for these lanes.
#define QUERY_VECTORS 2
#define TILE_K 6
#define DEPTH_CHUNK 128
#define TILE_V 4
#define TILE_J 32
#define COLUMN_CHUNK 64
#include "../kernels/staged.h"
#endif
