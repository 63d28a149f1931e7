import AttentionOpenCL

/// Compiled kernels on disk.
public typealias KernelCache = AttentionOpenCL.KernelCache
