public import AttentionOpenCL

/// Kernels as a GPU may get them, for offline compilers.
public typealias GPUVariant = AttentionOpenCL.GPUVariant
