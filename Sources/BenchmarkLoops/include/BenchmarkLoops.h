// What this processor does at best: fused multiply-adds, and reads of memory. For `attend bench`.
#pragma once
#include <stddef.h>

/// True if this file was compiled with optimisation: without it the loops measure the stack, not the processor.
int benchmark_loops_optimised(void);

/// Instruction sets that this processor has, widest first: at least one.
int benchmark_loops_instruction_sets(void);
const char *benchmark_loops_instruction_set(int index);

/// Seconds that `threads` threads take for `steps` steps each, from the moment all have started until the last is done;
/// a negative number if a thread could not be started. `flops` receives the floating-point operations of all of them.
double benchmark_loops_multiply_add(int instruction_set, int threads, long steps, double *flops);

/// How many ways of reading there are, and what they are called.
int benchmark_loops_read_variants(void);
const char *benchmark_loops_read_variant(int variant);

/// Seconds that `threads` threads take to read `bytes` bytes at `memory`, each a contiguous share.
double benchmark_loops_read(int instruction_set, int variant, int threads, const void *memory, size_t bytes);
