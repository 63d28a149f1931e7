// The staged kernels, baseline.
#include "../sets/baseline.h"
// As the row of StagedTiles for these lanes.
#define QUERY_VECTORS 2
#define TILE_K 4
#define DEPTH_CHUNK 128
#define TILE_V 4
#define TILE_J 32
#define COLUMN_CHUNK 64
#include "../kernels/staged.h"

size_t host_kernels_view_bytes(void) { return sizeof(view); }
size_t host_kernels_segment_bytes(void) { return sizeof(segment); }
size_t host_kernels_problem_bytes(void) { return sizeof(problem); }
