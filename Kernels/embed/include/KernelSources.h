// The OpenCL C text of this package, embedded at compile time so that nothing has to stand beside the program.
#pragma once
#include <stddef.h>

/// The number of embedded files.
size_t kernel_source_count(void);
/// The base name of file `index`: "scores.cl".
const char *kernel_source_name(size_t index);
/// The text of file `index` in UTF-8, without a zero at the end; `length` receives its bytes.
const char *kernel_source_text(size_t index, size_t *length);
