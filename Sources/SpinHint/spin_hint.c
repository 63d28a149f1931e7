// A target needs a file to compile; the function is in the header.
#include "spin_hint.h"
