// linear_wide, v3: 12 sums and 2 weights of 16 registers
#if defined(__x86_64__)
#include "../sets/v3.h"
#define VECTORS 2
#define TILE_M 6
#include "../kernels/linear.h"
#endif
