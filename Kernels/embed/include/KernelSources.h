const char *kernel_source_text(const char *name);
