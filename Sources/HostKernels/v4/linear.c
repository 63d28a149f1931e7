// linear_wide, v4: 28 sums and 2 weights of 32 registers
#if defined(__x86_64__)
#include "../sets/v4.h"
#define VECTORS 2
#define TILE_M 14
#include "../kernels/linear.h"
#endif
