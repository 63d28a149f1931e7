import AttentionCore
import OpenCLRuntime

/// One call of a staged plan: its buffers, its launches, and what it writes back.
struct StagedRun {
    private let plan: StagedPlan
    private let problem: AttentionProblem
    private let queue: Queue
    private let operands: OperandBuffers
    private let passes: [StagedPass]
    private let buffers: StagedBuffers
    private let arguments: StagedProblem
    private let timer: LaunchTimer

    init(
        _ plan: StagedPlan, _ problem: AttentionProblem, _ inputs: AttentionInputs, _ outputs: AttentionOutputs,
        _ queue: Queue, passes: [StagedPass], timer: LaunchTimer
    ) throws(OpenCLError) {
        self.plan = plan
        self.problem = problem
        self.queue = queue
        self.passes = passes
        self.timer = timer
        operands = OperandBuffers(backend: plan.backend, queue: queue)
        var arguments = StagedProblem(problem)
        buffers = try StagedBuffers(problem, inputs, outputs, operands, &arguments)
        self.arguments = arguments
    }

    /// Launches everything, looking at `check` between pieces, and brings the outputs to where they belong.
    func execute(_ check: () throws(AttentionError) -> Void) throws(AttentionError) {
        let name = plan.backend.device.name
        try asAttentionError(name) { () throws(OpenCLError) in try concatenate() }
        for pass in passes {
            let (scores, sums, segments) = try asAttentionError(name) { () throws(OpenCLError) in
                (
                    try plan.backend.scratch.take(pass.scratch.scoreBytes),
                    try plan.backend.scratch.take(pass.scratch.byteCount - pass.scratch.scoreBytes),
                    try operands.constants(pass.segments.map { KernelSegment($0) })
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
                        try queue.finish()
                        ahead = 0
                    }
                }
            }
            if pass.computesOutput {
                try asAttentionError(name) { () throws(OpenCLError) in try operands.finish() }
            } else {
                try asAttentionError(name) { () throws(OpenCLError) in try queue.finish() }
            }
            // Given back when nothing runs on them any more; after an error they are released instead.
            plan.backend.scratch.giveBack(scores)
            plan.backend.scratch.giveBack(sums)
        }
    }

    private func concatenate() throws(OpenCLError) {
        let shape = problem.shape
        let columns = [shape.headDimension, shape.valueDimension]
        for (index, part) in buffers.concatenations.enumerated()
        where shape.keyLength > 0 && shape.batch > 0 && shape.keyValueHeads > 0 {
            let program = index == 0 ? plan.programs.concatenateKey : plan.programs.concatenateValue
            guard let program else { continue }
            let launch = try program.launch("concatenate")
                .buffer(part.past).buffer(part.fresh).buffer(part.present)
                .bytes(of: part.pastView).bytes(of: part.freshView).bytes(of: part.presentView)
                .int32(Int32(problem.pastLength)).int32(Int32(columns[index]))
            try timer.run(
                launch, on: queue, global: WorkSize(shape.keyLength, shape.keyValueHeads, shape.batch), local: nil)
        }
    }

    private func launch(
        _ pass: StagedPass, _ piece: StagedPiece, _ s: Buffer, _ sums: Buffer, _ segments: Buffer?
    ) throws(OpenCLError) {
        var p = arguments
        p.firstSegment = Int32(piece.segments.lowerBound)
        p.firstHead = Int32(piece.heads.lowerBound)
        p.firstTile = Int32(piece.tiles.lowerBound)
        p.tiles = Int32(piece.tiles.count)
        p.keyStride = Int32(pass.scratch.keyStride)
        p.allPairs = pass.allPairs ? 1 : 0
        p.blockKeys = Int32(plan.tiles.blockKeys(pass.scratch.keyStride))
        p.keyBlocks = Int32((pass.scratch.keyStride + Int(p.blockKeys) - 1) / Int(p.blockKeys))
        if pass.computesScores {
            try run(plan.programs.scores, "scores", piece, itemsPerTile: Int(p.keyBlocks)) { launch in
                launch.buffer(buffers.q).buffer(buffers.k).buffer(s).buffer(segments).bytes(of: p)
            }
        }
        let writesBefore = problem.scores != .probabilities || !pass.computesScores
        if pass.writesScores && writesBefore { try writeScores(piece, s, sums, segments, p) }
        guard pass.computesOutput else { return }
        try run(plan.programs.softmax, "softmax", piece, itemsPerTile: plan.tiles.queryVectors) { launch in
            launch.buffer(s).buffer(sums).buffer(buffers.logSumExp).buffer(buffers.mask)
                .buffer(buffers.slopes).buffer(buffers.sinks).buffer(segments).bytes(of: p)
        }
        if pass.writesScores && !writesBefore { try writeScores(piece, s, sums, segments, p) }
        let columnBlocks = plan.tiles.columnBlocks(problem.shape.valueDimension)
        try run(plan.programs.weightedSum, "weighted_sum", piece, itemsPerTile: columnBlocks) { launch in
            launch.buffer(s).buffer(sums).buffer(buffers.v).buffer(buffers.o).buffer(segments).bytes(of: p)
        }
    }

    private func writeScores(
        _ piece: StagedPiece, _ s: Buffer, _ sums: Buffer, _ segments: Buffer?, _ p: StagedProblem
    ) throws(OpenCLError) {
        guard let program = plan.programs.scoreOutput else { return }
        try run(program, "score_output", piece, itemsPerTile: plan.tiles.queryVectors) { launch in
            launch.buffer(s).buffer(sums).buffer(buffers.scores).buffer(buffers.mask).buffer(buffers.slopes)
                .buffer(segments).bytes(of: p)
        }
    }

    /// Launches `itemsPerTile` work-items for each tile, head and segment of `piece`.
    private func run(
        _ program: Program, _ name: String, _ piece: StagedPiece, itemsPerTile: Int,
        _ arguments: (consuming Launch) -> Launch
    ) throws(OpenCLError) {
        let group = min(plan.tiles.workGroup, plan.backend.largestGroup)
        let items = (piece.tiles.count * itemsPerTile + group - 1) / group * group
        try timer.run(
            arguments(try program.launch(name)), on: queue,
            global: WorkSize(items, piece.heads.count, piece.segments.count), local: WorkSize(group, 1, 1))
    }
}
