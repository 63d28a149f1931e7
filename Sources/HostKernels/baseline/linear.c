// linear_wide, baseline: 8 sums and 2 weights of 16 registers
#include "../sets/baseline.h"
#define VECTORS 2
#define TILE_M 4
#include "../kernels/linear.h"
