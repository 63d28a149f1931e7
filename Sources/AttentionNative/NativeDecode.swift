import AttentionCore
import HostKernels
import KernelCalls

/// `decode_wide`: few queries against many keys, each key and value read once for all heads that share it.
struct NativeDecode: NativeKernels {
    static let name = "decode_wide"
    static let readsBlocks = true

    private let backend: NativeBackend
    private let kernel: host_kernel
    private let merge: host_kernel
    private let room: Int

    init(_ problem: AttentionProblem, _ backend: NativeBackend) {
        self.backend = backend
        let set = backend.instructionSet.kernels.pointee
        kernel = backend.instructionSet.decode(rows: DecodeSplit(problem, computeUnits: 1).rows)
        merge = set.merge
        room = NativeRoom.room(problem)
    }

    func choices(_ problem: AttentionProblem) -> [String] {
        let split = split(problem)
        return [
            "each key and value is read once for the \(split.rows) rows that share it",
            "chunks of \(DecodeSplit.chunkKeys) keys, merged in ascending order"
                + (split.items > 1 ? " by a kernel of its own" : ""),
            "work-items: \(split.items) to a key head, of \(split.heads) heads",
        ]
    }

    func scratchBytes(_ problem: AttentionProblem) -> Int {
        split(problem).scratchBytes(
            columns: problem.shape.valueDimension, lanes: Int(backend.instructionSet.kernels.pointee.lanes))
    }

    func run(
        _ problem: AttentionProblem, _ inputs: AttentionInputs, _ outputs: AttentionOutputs, _ control: RunControl
    ) throws(AttentionError) {
        let split = split(problem)
        guard split.rows > 0, split.heads > 0 else { return }
        let threads = backend.threads(multiplyAdds: problem.mostMultiplyAdds)
        let (heads, segments) = (problem.shape.keyValueHeads, problem.segments.count)
        var call = try NativeCall(problem, inputs, outputs)
        call.problem.tiles = Int32(split.rows)
        call.problem.keyBlocks = Int32(split.chunks)
        call.problem.blockTiles = Int32(split.items)
        let parts = try backend.scratch.take(scratchBytes(problem))
        defer { backend.scratch.give(parts) }
        call.scratch = parts.floats
        try call.launch(
            kernel, global: (split.blocks * split.items, heads, segments), room: room, threads: threads,
            on: backend.pool)
        if parts.floats != nil {
            try call.launch(
                merge, global: (split.rows, heads, segments), room: room, threads: threads, on: backend.pool)
        }
        try call.operands.finish()
    }

    private func split(_ problem: AttentionProblem) -> DecodeSplit {
        DecodeSplit(problem, computeUnits: backend.threads(multiplyAdds: problem.mostMultiplyAdds))
    }
}
