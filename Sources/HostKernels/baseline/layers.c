// The kernels of layers but linear_wide, baseline.
#include "../sets/baseline.h"
#define HAS_SIZES
#include "../kernels/layers.h"
