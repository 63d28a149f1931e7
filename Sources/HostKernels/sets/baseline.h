// baseline — what every processor of the architecture has: SSE2 on x86-64, NEON on arm64.
#include "system.h"
#define SET baseline
#define LANES 4
#if defined(__aarch64__)
#define HAS_FMA 1
#define HAS_HALVES 1
#else
#define HAS_FMA 0
#define HAS_HALVES 0
#endif
#define HAS_ATTRIBUTES 0
