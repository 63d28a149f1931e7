import AttentionOpenCL

/// What this package keeps on disk about the kernels of this machine.
public typealias KernelCache = AttentionOpenCL.KernelCache

/// What a self-test found about one program of a kernel.
public typealias KernelVerdict = AttentionOpenCL.KernelVerdict
