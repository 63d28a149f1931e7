// The kernels of layers but linear_wide, v4.
#if defined(__x86_64__)
#include "../sets/v4.h"
#include "../kernels/layers.h"
#endif
