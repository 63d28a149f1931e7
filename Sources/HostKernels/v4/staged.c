// The staged kernels, v4.
#if defined(__x86_64__)
#include "../sets/v4.h"
// As the row of StagedTiles for these lanes.
#define QUERY_VECTORS 2
#define TILE_K 8
#define DEPTH_CHUNK 128
#define TILE_V 8
#define TILE_J 64
#define COLUMN_CHUNK 64
#include "../kernels/staged.h"
#endif
