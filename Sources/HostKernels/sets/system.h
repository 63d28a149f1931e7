// system — before an instruction set's attributes are pushed, which are not for others' functions.
#include "HostKernels.h"
#include <float.h>
#include <limits.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>
// OpenCL's own pragmas; clang's C has nothing to say about them.
#pragma clang diagnostic ignored "-Wunknown-pragmas"
// What the parts of one kernel's headers define is not all used by each.
#pragma clang diagnostic ignored "-Wunused-function"
