import AttentionCore
import OpenCLRuntime

/// `flash_wide`: everything in one kernel, without scratch memory.
final class FlashPlan: BackendPlan {
    let explanation: PlanExplanation
    private let backend: OpenCLBackend
    private let kernel: FlashKernel
    private let program: Program
    private let concatenation: (key: Program, value: Program)?
    private let build: RunReport.Build
    private let notes: [String]
    /// Writes the scores that the caller asked for, which no fused kernel has.
    private let scores: StagedPlan?

    /// Why `flash_wide` cannot compute `problem` on a device with vectors of `width` floats; `nil` if it can.
    static func refusal(_ problem: AttentionProblem, width: Int) -> String? {
        guard width >= 4 else { return "flash_wide: the native float width of \(width) is below 4" }
        let depth = max(problem.shape.headDimension, problem.shape.valueDimension)
        guard depth <= FlashTiles.depthLimit else {
            return "flash_wide: a head dimension of \(depth) is beyond \(FlashTiles.depthLimit)"
        }
        return nil
    }

    init(
        _ problem: AttentionProblem, _ policy: PlanPolicy, _ backend: OpenCLBackend, width: Int
    ) throws(AttentionError) {
        let longest = problem.segments.map(\.queryCount).max() ?? 0
        guard Self.refusal(problem, width: width) == nil,
            let tiles = FlashTiles.row(nativeWidth: width, queries: longest)
        else {
            throw .unsupported(device: backend.device.name, reason: Self.refusal(problem, width: width) ?? "no tiles")
        }
        self.backend = backend
        let shape = problem.shape
        kernel = FlashKernel(
            hasMask: try CallStorages(problem, backend.device).hasMask, headDimension: shape.headDimension,
            valueDimension: shape.valueDimension, tiles: tiles)
        var collector = ProgramCollector(backend)
        program = try collector.program(.flash(kernel))
        concatenation = try collector.concatenation(problem)
        build = collector.build
        notes = collector.notes
        scores = problem.scores == nil ? nil : try StagedPlan(problem, policy, backend, onlyScores: true)
        let blocks = FlashBlocks(problem, kernel, computeUnits: backend.computeUnits)
        var choices = [
            "one pass over the keys with an online softmax, no scratch memory",
            "lanes: \(tiles.lanes) queries to a vector, as the native float width of \(backend.nativeWidth) has it",
            "tile: \(tiles.tileQ) queries × \(tiles.tileK) keys, \(tiles.tileV) value columns (\(tiles.measured))",
            "work-items: \(blocks.items) with \(blocks.tilesPerItem) of \(kernel.blockTiles) tiles each",
        ]
        if scores != nil { choices.append("scores, which are asked for, come from the staged kernels") }
        if let family = policy.family { choices.append("family: \(family) as the caller asked") }
        explanation = PlanExplanation(
            kernel: "flash_wide", choices: choices + notes, scratchBytes: scores?.explanation.scratchBytes ?? 0)
    }

    func run(
        _ problem: AttentionProblem, _ inputs: AttentionInputs, _ outputs: AttentionOutputs, _ control: RunControl
    ) throws(AttentionError) -> RunReport {
        try control.check()
        let (problem, inputs) = try AttentionInputs.withSinglePrecisionMask(problem, inputs)
        let first = try scores?.run(problem, inputs, outputs, control)
        let timer = LaunchTimer(isOn: control.isProfiled)
        try backend.withQueue(isProfiled: control.isProfiled) { (queue) throws(AttentionError) in
            try asAttentionError(backend.device.name) { () throws(OpenCLError) in
                let call = try CallRun(backend, problem, inputs, outputs, queue, timer)
                try call.concatenate(concatenation)
                try launch(call)
                try call.finish()
            }
        }
        let time = try asAttentionError(backend.device.name) { () throws(OpenCLError) in try timer.total() }
        return RunReport(
            kernel: "flash_wide", build: build, scratchBytes: first?.scratchBytes ?? 0,
            kernelNanoseconds: time.map { $0 + (first?.kernelNanoseconds ?? 0) }, notes: notes)
    }

    private func launch(_ call: CallRun) throws(OpenCLError) {
        let blocks = FlashBlocks(call.problem, kernel, computeUnits: backend.computeUnits)
        guard blocks.items > 0 else { return }
        var p = call.arguments
        p.tiles = Int32(blocks.tiles)
        p.blockTiles = Int32(blocks.tilesPerItem)
        let segments = try call.constants(call.problem.segments.map { KernelSegment($0) })
        let buffers = call.buffers
        let launch = try program.launch("flash_wide")
            .buffer(buffers.q).buffer(buffers.k).buffer(buffers.v).buffer(buffers.o).buffer(buffers.logSumExp)
            .buffer(buffers.mask).buffer(buffers.slopes).buffer(buffers.sinks).buffer(segments).bytes(of: p)
        let global = WorkSize(
            blocks.itemsPerHead, call.problem.shape.keyValueHeads, call.problem.segments.count)
        try call.timer.run(launch, on: call.queue, global: global, local: WorkSize(1, 1, 1))
    }
}
