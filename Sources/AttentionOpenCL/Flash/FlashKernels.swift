import AttentionCore
import KernelCalls
import OpenCLRuntime

/// `flash_wide`: everything in one kernel, without scratch memory.
struct FlashKernels: FusedKernels {
    static let name = "flash_wide"
    static let space = FlashTiles.space

    private let kernel: FlashKernel
    private let program: ProgramKernel
    private let computeUnits: Int
    private let tables = CallTables()

    init(
        _ problem: AttentionProblem, _ backend: OpenCLBackend, _ policy: PlanPolicy, width: Int,
        _ collector: inout ProgramCollector
    ) throws(AttentionError) {
        let longest = problem.segments.reduce(0) { max($0, $1.queryCount) }
        guard let tiles = FlashTiles.row(nativeWidth: width, queries: longest) else {
            throw .unsupported(device: backend.device.name, reason: "flash_wide: no tiles for vectors of \(width)")
        }
        let storages = try CallStorages(problem, backend.device)
        kernel = FlashKernel(
            hasMask: storages.hasMask, hasShuffles: backend.profile.hasShuffles,
            hasFlatMemory: backend.profile.hasFlatMemory, room: WideRoom.room(problem),
            tiles: tiles.replacing(policy.tiles))
        program = try collector.kernel(.flash(kernel))
        computeUnits = backend.profile.computeUnits
    }

    var sizes: [String: Int] { kernel.tiles.sizes }

    func choices(_ problem: AttentionProblem) -> [String] {
        let tiles = kernel.tiles
        let blocks = blocks(problem)
        return [
            "one pass over the keys with an online softmax, no scratch memory",
            "tile: \(tiles.tileQ) queries, \(tiles.lanes) to a vector, × \(tiles.tileK) keys, \(tiles.tileV) value columns"
                + " (\(tiles.measured))",
            "work-items: \(blocks.items) with \(blocks.tilesPerItem) of at most \(kernel.blockTiles) tiles each",
        ]
    }

    func scratchBytes(_ problem: AttentionProblem) -> Int { 0 }

    func launch(_ call: CallRun, scratch: Buffer?) throws(OpenCLError) {
        let blocks = blocks(call.problem)
        guard blocks.items > 0 else { return }
        var p = call.arguments
        p.tiles = Int32(blocks.tiles)
        p.blockTiles = Int32(blocks.tilesPerItem)
        let buffers = call.buffers
        let launch = try program.launch()
            .buffer(buffers.q).buffer(buffers.k).buffer(buffers.v).buffer(buffers.o).buffer(buffers.logSumExp)
            .buffer(buffers.mask).buffer(buffers.slopes).buffer(buffers.sinks)
            .buffer(tables.segments(call)).buffer(tables.blocks(call)).bytes(of: p)
        let global = WorkSize(blocks.itemsPerHead, call.problem.shape.keyValueHeads, call.problem.segments.count)
        try call.run(launch, global: global, local: WorkSize(1, 1, 1))
    }

    private func blocks(_ problem: AttentionProblem) -> FlashBlocks {
        FlashBlocks(problem, tileQ: kernel.tiles.tileQ, mostTiles: kernel.blockTiles, computeUnits: computeUnits)
    }
}
