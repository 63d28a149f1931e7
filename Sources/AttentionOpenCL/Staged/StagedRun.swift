import AttentionCore
import KernelCalls
import OpenCLRuntime

/// One call of a staged plan: its buffers, its launches, and what it writes back.
struct StagedRun {
    let plan: StagedPlan
    let call: CallRun
    let passes: [StagedPass]

    /// Launches everything, looking at `check` between pieces, and brings the outputs to where they belong.
    func execute(_ check: () throws(AttentionError) -> Void) throws(AttentionError) {
        let name = plan.backend.device.name
        try asAttentionError(name) { () throws(OpenCLError) in
            try call.concatenate(plan.programs.concatenation)
        }
        for (index, pass) in passes.enumerated() {
            let (scores, sums, segments) = try asAttentionError(name) { () throws(OpenCLError) in
                (
                    try call.commands.takeScratch(pass.scratch.scoreBytes),
                    try call.commands.takeScratch(pass.scratch.byteCount - pass.scratch.scoreBytes),
                    try call.constants(pass.segments.map { KernelSegment($0) })
                )
            }
            var ahead = 0
            for piece in pass.scratch.pieces {
                try check()
                try asAttentionError(name) { () throws(OpenCLError) in
                    try launch(pass, piece, scores, sums, segments)
                    ahead += pass.scratch.byteCount
                    // The host runs no further ahead than this, so that cancelling takes effect.
                    if ahead > 128 << 20 {
                        try call.wait()
                        ahead = 0
                    }
                }
            }
            if index == passes.count - 1 {
                try asAttentionError(name) { () throws(OpenCLError) in try call.finish() }
            } else {
                try asAttentionError(name) { () throws(OpenCLError) in try call.wait() }
            }
            // After an error they are released instead.
            call.commands.giveBack(scores)
            call.commands.giveBack(sums)
        }
    }

    private func launch(
        _ pass: StagedPass, _ piece: StagedPiece, _ s: Buffer, _ sums: Buffer, _ segments: Buffer?
    ) throws(OpenCLError) {
        var p = call.arguments
        let buffers = call.buffers
        pass.prepare(&p, piece, plan.tiles)
        if pass.computesScores {
            try run(plan.programs.scores, "scores", piece, itemsPerTile: Int(p.keyBlocks)) { launch in
                launch.buffer(buffers.q).buffer(buffers.k).buffer(s).buffer(segments).bytes(of: p)
            }
        }
        let writesBefore = call.problem.scores != .probabilities || !pass.computesScores
        if pass.writesScores && writesBefore { try writeScores(piece, s, sums, segments, p) }
        guard pass.computesWeights else { return }
        try run(plan.programs.softmax, "softmax", piece, itemsPerTile: plan.tiles.queryVectors) { launch in
            launch.buffer(s).buffer(sums).buffer(buffers.logSumExp).buffer(buffers.mask)
                .buffer(buffers.slopes).buffer(buffers.sinks).buffer(segments).bytes(of: p)
        }
        if pass.writesScores && !writesBefore { try writeScores(piece, s, sums, segments, p) }
        guard pass.computesOutput else { return }
        let columnBlocks = plan.tiles.columnBlocks(call.problem.shape.valueDimension)
        try run(plan.programs.weightedSum, "weighted_sum", piece, itemsPerTile: columnBlocks) { launch in
            launch.buffer(s).buffer(sums).buffer(buffers.v).buffer(buffers.o).buffer(segments).bytes(of: p)
        }
    }

    private func writeScores(
        _ piece: StagedPiece, _ s: Buffer, _ sums: Buffer, _ segments: Buffer?, _ p: KernelProblem
    ) throws(OpenCLError) {
        guard let program = plan.programs.scoreOutput else { return }
        try run(program, "score_output", piece, itemsPerTile: plan.tiles.queryVectors) { launch in
            launch.buffer(s).buffer(sums).buffer(call.buffers.scores).buffer(call.buffers.mask)
                .buffer(call.buffers.slopes)
                .buffer(segments).bytes(of: p)
        }
    }

    /// Launches `itemsPerTile` work-items for each tile, head and segment of `piece`.
    private func run(
        _ program: Program, _ name: String, _ piece: StagedPiece, itemsPerTile: Int,
        _ arguments: (consuming Launch) -> Launch
    ) throws(OpenCLError) {
        let group = min(plan.tiles.workGroup, plan.backend.profile.largestGroup)
        let items = (piece.tiles.count * itemsPerTile + group - 1) / group * group
        try call.run(
            arguments(try program.launch(name)),
            global: WorkSize(items, piece.heads.count, piece.segments.count), local: WorkSize(group, 1, 1))
    }
}
