import AttentionCore
import KernelCalls
import OpenCLRuntime

/// `decode_wide`: few queries against many keys, each key and value read once for all heads that share it.
struct DecodeKernels: FusedKernels {
    static let name = "decode_wide"
    static let space = DecodeTiles.space

    private let decode: ProgramKernel
    private let merge: ProgramKernel
    private let lanes: Int
    private let tiles: DecodeTiles
    private let computeUnits: Int
    private let tables = CallTables()

    init(
        _ problem: AttentionProblem, _ backend: OpenCLBackend, _ policy: PlanPolicy, width: Int,
        _ collector: inout ProgramCollector
    ) throws(AttentionError) {
        let storages = try CallStorages(problem, backend.device)
        let lanes = width >= 16 ? 16 : width >= 8 ? 8 : 4
        let rows = DecodeSplit(problem, computeUnits: 1).rows >= 3 ? 4 : 1
        tiles = DecodeTiles(rows: rows, lanes: lanes).replacing(policy.tiles)
        let room = WideRoom.room(problem)
        func kernel(_ step: DecodeKernel.Step) -> KernelVariant {
            .decode(
                DecodeKernel(
                    step: step, lanes: lanes, room: room, hasShuffles: backend.profile.hasShuffles,
                    hasFlatMemory: backend.profile.hasFlatMemory))
        }
        decode = try collector.kernel(
            kernel(.decode(query: storages.query, value: storages.value, rows: rows, tiles: tiles)))
        merge = try collector.kernel(kernel(.merge))
        self.lanes = lanes
        computeUnits = backend.profile.computeUnits
    }

    var sizes: [String: Int] { tiles.sizes }

    private func shares(_ problem: AttentionProblem) -> DecodeSplit {
        DecodeSplit(problem, computeUnits: computeUnits, chunkKeys: tiles.chunkKeys)
    }

    func choices(_ problem: AttentionProblem) -> [String] {
        let split = shares(problem)
        return [
            "each key and value is read once for the \(split.rows) rows that share it",
            "chunks of \(tiles.chunkKeys) keys, merged in ascending order"
                + (split.items > 1 ? " by a kernel of its own" : ""),
            "work-items: \(split.items) to a key head, of \(split.heads) heads",
        ]
    }

    func scratchBytes(_ problem: AttentionProblem) -> Int {
        shares(problem).scratchBytes(columns: problem.shape.valueDimension, lanes: lanes)
    }

    func launch(_ call: CallRun, scratch: Buffer?) throws(OpenCLError) {
        let split = shares(call.problem)
        let segments = call.problem.segments.count
        guard split.rows > 0, split.heads > 0 else { return }
        var p = call.arguments
        p.tiles = Int32(split.rows)
        p.keyBlocks = Int32(split.chunks)
        p.blockTiles = Int32(split.items)
        let constants = try tables.segments(call)
        let buffers = call.buffers
        let heads = call.problem.shape.keyValueHeads
        let first = try decode.launch()
            .buffer(buffers.q).buffer(buffers.k).buffer(buffers.v).buffer(buffers.o).buffer(buffers.logSumExp)
            .buffer(buffers.mask).buffer(buffers.slopes).buffer(buffers.sinks).buffer(constants)
            .buffer(tables.blocks(call)).buffer(scratch).bytes(of: p)
        try call.run(
            first, global: WorkSize(split.blocks * split.items, heads, segments),
            local: WorkSize(1, 1, 1))
        guard let scratch else { return }
        let second = try merge.launch()
            .buffer(scratch).buffer(buffers.sinks).buffer(buffers.o).buffer(buffers.logSumExp).buffer(constants)
            .bytes(of: p)
        try call.run(
            second, global: WorkSize(split.rows, heads, segments), local: WorkSize(1, 1, 1))
    }
}
