import AttentionOpenCL

/// What this package keeps on disk about the kernels of this machine.
public typealias KernelCache = AttentionOpenCL.KernelCache

/// The kernel and tiles that a search found to be the fastest for a class of calls.
public typealias KernelTuning = AttentionOpenCL.KernelTuning

/// What a self-test found about one program of a kernel.
public typealias KernelVerdict = AttentionOpenCL.KernelVerdict
