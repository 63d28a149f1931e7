import AttentionCore
import HostKernels
import Workers

/// One launch of a kernel of layers: where its operands lie.
struct LayerCall {
    var arguments = host_layer_call()
    /// False once an operand was not in host memory.
    private(set) var isHere = true

    /// Where the storage of `tensor` begins; `nil` for an operand that the call does not have, or that the host cannot reach.
    mutating func place(_ tensor: Tensor?) -> UnsafeMutableRawPointer? {
        guard let tensor else { return nil }
        guard let bytes = tensor.storage.hostBytes else {
            isHere = false
            return nil
        }
        return bytes.baseAddress
    }

    /// Runs `kernel`, which is told `problem`, on `width` × `height` items with at most `threads` threads.
    mutating func run<Problem: BitwiseCopyable>(
        _ kernel: host_kernel, _ problem: Problem, width: Int, height: Int = 1, threads: Int, on pool: WorkerPool
    ) throws(AttentionError) {
        guard width > 0, height > 0 else { return }
        guard let run = kernel.run, let privateBytes = kernel.private_bytes else {
            throw .deviceFailed(device: "native", detail: "a kernel is missing")
        }
        arguments.width = Int64(width)
        arguments.height = Int64(height)
        let count = width * height
        let failure = withUnsafePointer(to: problem) { problem -> WorkerError? in
            arguments.problem = UnsafeRawPointer(problem)
            return withUnsafePointer(to: arguments) { arguments -> WorkerError? in
                do throws(WorkerError) {
                    try pool.run(
                        run, arguments, count: count, grain: threads > 1 ? 1 : count, threads: threads,
                        scratchBytes: privateBytes(0))
                    return nil
                } catch { return error }
            }
        }
        if let failure { throw AttentionError(failure) }
    }
}
