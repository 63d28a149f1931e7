// The kernels of layers but linear_wide, v3.
#if defined(__x86_64__)
#include "../sets/v3.h"
#include "../kernels/layers.h"
#endif
