import AttentionCore
import HostKernels
import KernelCalls

/// The staged kernels: scores, softmax, weighted sum, with the scores in scratch memory between them.
struct NativeStaged: NativeKernels {
    static let name = "staged"
    static let readsBlocks = false

    private let backend: NativeBackend
    private let policy: PlanPolicy
    private let onlyScores: Bool
    private let set: host_instruction_set
    private let tiles: StagedTiles

    init(_ problem: AttentionProblem, _ policy: PlanPolicy, _ backend: NativeBackend, onlyScores: Bool) {
        self.backend = backend
        self.policy = policy
        self.onlyScores = onlyScores
        set = backend.instructionSet.kernels.pointee
        tiles = StagedTiles.row(nativeWidth: Int(set.lanes))
    }

    func choices(_ problem: AttentionProblem) -> [String] {
        let passes = passes(problem)
        return [
            "kernels: scores → softmax → weighted_sum, the scores in scratch memory",
            "tile: \(tiles.tileQ) queries × \(tiles.tileK) keys, \(tiles.tileV) value columns",
            "scratch: \(scratchBytes(problem)) bytes, \(passes.map(\.scratch.pieces.count).max() ?? 0) piece(s)",
        ]
    }

    func scratchBytes(_ problem: AttentionProblem) -> Int { passes(problem).map(\.scratch.byteCount).max() ?? 0 }

    private func passes(_ problem: AttentionProblem) -> [StagedPass] {
        StagedPass.passes(
            problem, tiles, limit: min(policy.workspaceLimit, tiles.scratchTarget), onlyScores: onlyScores)
    }

    func run(
        _ problem: AttentionProblem, _ inputs: AttentionInputs, _ outputs: AttentionOutputs, _ control: RunControl
    ) throws(AttentionError) {
        var call = try NativeCall(problem, inputs, outputs)
        let threads = backend.threads(multiplyAdds: problem.mostMultiplyAdds)
        for pass in passes(problem) {
            let memory = try backend.scratch.take(pass.scratch.byteCount)
            defer { backend.scratch.give(memory) }
            call.scratch = memory.floats
            call.inverseSums = memory.floats.map { $0 + pass.scratch.scoreBytes / MemoryLayout<Float>.stride }
            call.segments = pass.segments.map { KernelSegment($0) }
            for piece in pass.scratch.pieces {
                try control.check()
                try launch(&call, problem, pass, piece, threads)
            }
        }
        try call.operands.finish()
    }

    private func launch(
        _ call: inout NativeCall, _ problem: AttentionProblem, _ pass: StagedPass, _ piece: StagedPiece, _ threads: Int
    ) throws(AttentionError) {
        pass.prepare(&call.problem, piece, tiles)
        func run(_ kernel: host_kernel, itemsPerTile: Int) throws(AttentionError) {
            try call.launch(
                kernel, global: (piece.tiles.count * itemsPerTile, piece.heads.count, piece.segments.count), room: 0,
                threads: threads, on: backend.pool)
        }
        if pass.computesScores { try run(set.scores, itemsPerTile: Int(call.problem.keyBlocks)) }
        let writesBefore = problem.scores != .probabilities || !pass.computesScores
        if pass.writesScores && writesBefore { try run(set.score_output, itemsPerTile: tiles.queryVectors) }
        guard pass.computesWeights else { return }
        try run(set.softmax, itemsPerTile: tiles.queryVectors)
        if pass.writesScores && !writesBefore { try run(set.score_output, itemsPerTile: tiles.queryVectors) }
        if pass.computesOutput { try run(set.weighted_sum, itemsPerTile: 1) }
    }
}
