import AttentionCore
import HostKernels
import KernelCalls
import Workers

/// One call as the kernels are given it: the problem, the tables, and where the operands lie.
struct NativeCall {
    /// Set the parts that belong to a launch before it.
    var problem: KernelProblem
    /// Scores and inverse sums of the staged kernels, or parts of split keys.
    var scratch: UnsafeMutablePointer<Float>?
    var inverseSums: UnsafeMutablePointer<Float>?
    /// What the launches are about: all segments of the call, or those of a pass.
    var segments: [KernelSegment]
    let operands: HostOperands
    private let query, key, value, output, mask, scores, logSumExp: UnsafeMutableRawPointer?
    private let blocks: [Int32]
    private let slopes: [Float]
    private let sinks: [Float]

    /// Present keys and values must have taken the place of past and new ones.
    init(
        _ problem: AttentionProblem, _ inputs: AttentionInputs, _ outputs: AttentionOutputs
    ) throws(AttentionError) {
        var operands = HostOperands()
        var arguments = KernelProblem(problem)
        func kept(_ place: HostOperands.Place, _ view: inout KernelView) -> UnsafeMutableRawPointer? {
            view = place.view
            return place.base
        }
        query = kept(try operands.input(inputs.query, problem.query), &arguments.q)
        key = kept(try operands.input(inputs.key, problem.key), &arguments.k)
        value = kept(try operands.input(inputs.value, problem.value), &arguments.v)
        if let tensor = inputs.mask.tensor, let view = problem.mask, tensor.count > 0 {
            mask = kept(try operands.input(tensor, view), &arguments.mask)
        } else {
            mask = nil
        }
        output = kept(try operands.output(outputs.output, problem.outputView(outputs.output)), &arguments.o)
        if let tensor = outputs.scores {
            scores = kept(try operands.output(tensor, problem.rowView(tensor)), &arguments.scores)
        } else {
            scores = nil
        }
        if let tensor = outputs.logSumExp {
            logSumExp = kept(try operands.output(tensor, problem.rowView(tensor)), &arguments.logSumExp)
        } else {
            logSumExp = nil
        }
        segments = problem.segments.map { KernelSegment($0) }
        blocks = inputs.blockTable?.kernelTable ?? []
        slopes = problem.alibiSlopes.map { Float($0) }
        sinks = problem.sinks.map { Float($0) }
        self.problem = arguments
        self.operands = operands
    }

    /// Runs `kernel` on all items of `global` with at most `threads` threads of `pool`.
    func launch(
        _ kernel: host_kernel, global: (Int, Int, Int), room: Int, threads: Int, on pool: WorkerPool
    ) throws(AttentionError) {
        let count = global.0 * global.1 * global.2
        guard count > 0 else { return }
        guard let run = kernel.run, let privateBytes = kernel.private_bytes else {
            throw .deviceFailed(device: "native", detail: "a kernel is missing")
        }
        var call = host_call()
        call.q = UnsafeRawPointer(query)
        call.k = UnsafeRawPointer(key)
        call.v = UnsafeRawPointer(value)
        call.mask = UnsafeRawPointer(mask)
        call.o = output
        call.lse = logSumExp?.assumingMemoryBound(to: Float.self)
        call.scores = scores
        call.scratch = scratch
        call.inverse_sum = inverseSums
        call.width = Int64(global.0)
        call.height = Int64(global.1)
        call.room = Int32(room)
        let failure = withTables(&call) { call -> WorkerError? in
            do throws(WorkerError) {
                // A thread that gets nothing to do is not woken.
                let grain = threads > 1 ? 1 : count
                try pool.run(
                    run, call, count: count, grain: grain, threads: threads, scratchBytes: privateBytes(Int32(room)))
                return nil
            } catch { return error }
        }
        switch failure {
        case nil: return
        case .noMemory(let bytes): throw .outOfMemory(bytes: bytes, device: "native")
        case .forked: throw .deviceFailed(device: "native", detail: "the process forked within the call")
        }
    }

    private func withTables<Result>(
        _ call: inout host_call, _ body: (UnsafePointer<host_call>) -> Result
    ) -> Result {
        segments.withUnsafeBufferPointer { segments in
            blocks.withUnsafeBufferPointer { blocks in
                slopes.withUnsafeBufferPointer { slopes in
                    sinks.withUnsafeBufferPointer { sinks in
                        withUnsafePointer(to: problem) { problem in
                            call.segments = UnsafeRawPointer(segments.baseAddress)
                            call.blocks = blocks.isEmpty ? nil : blocks.baseAddress
                            call.slopes = slopes.isEmpty ? nil : slopes.baseAddress
                            call.sinks = sinks.isEmpty ? nil : sinks.baseAddress
                            call.problem = UnsafeRawPointer(problem)
                            return withUnsafePointer(to: call) { body($0) }
                        }
                    }
                }
            }
        }
    }
}
