import AttentionCore
import KernelCalls
import OpenCLRuntime

/// `decode_split` and `decode_merge`: few queries against many keys by work-groups, each key and value read once for the rows of a
/// work-group.
struct SplitKernels: FusedKernels {
    static let name = "decode_split"
    static let space = TileSpace(SplitTiles.space.sizes + SubGroups.space)

    private let split: ProgramKernel
    private let merge: ProgramKernel
    private let tiles: SplitTiles
    private let subGroups: SubGroups
    private let rows: Int
    private let isFast: Bool
    private let mergeItems: Int
    private let tables = CallTables()

    static func refusal(
        _ problem: AttentionProblem, _ backend: OpenCLBackend, _ policy: PlanPolicy, width: Int
    ) -> String? {
        if let refusal = space.refusal(policy.tiles) ?? SubGroups.refusal(backend.profile, policy.tiles) {
            return "\(name): \(refusal)"
        }
        guard tiles(problem, backend, policy).isEmpty else { return nil }
        return
            "\(name): no tiles for work-groups of \(backend.profile.largestGroup) and \(backend.profile.localMemoryBytes) bytes of"
            + " local memory"
    }

    private static func tiles(
        _ problem: AttentionProblem, _ backend: OpenCLBackend, _ policy: PlanPolicy
    ) -> [SplitTiles] {
        let rows = SplitTiles.rows(DecodeSplit(problem, computeUnits: 1).rows)
        return SplitTiles.rows(given: policy.tiles).filter {
            $0.fits(
                largestGroup: backend.profile.largestGroup, localBytes: backend.profile.localMemoryBytes, rows: rows)
        }
    }

    init(
        _ problem: AttentionProblem, _ backend: OpenCLBackend, _ policy: PlanPolicy, width: Int,
        _ collector: inout ProgramCollector
    ) throws(AttentionError) {
        let storages = try CallStorages(problem, backend.device)
        let columns = problem.shape.valueDimension
        rows = SplitTiles.rows(DecodeSplit(problem, computeUnits: 1).rows)
        isFast = policy.precision == .fast
        let fuses = backend.profile.fusesMultiplyAdd
        let subGroups = SubGroups(backend.profile, policy.tiles)
        var found: (ProgramKernel, SplitTiles)?
        for tiles in Self.tiles(problem, backend, policy) {
            let step = SplitKernel.Step.split(
                tiles: tiles, value: storages.value, rows: rows, columnItems: tiles.columnItems(columns),
                hasMask: storages.hasMask)
            let program = try collector.program(
                .split(
                    SplitKernel(
                        step: step, query: storages.query, fuses: fuses, subGroups: subGroups))
            )
            guard try collector.largestGroup(program, Self.name) >= tiles.items else { continue }
            found = (ProgramKernel(program, Self.name), tiles)
            break
        }
        guard let found else {
            throw .unsupported(device: backend.device.name, reason: "\(Self.name): its compiler leaves no work-group")
        }
        (split, tiles) = found
        self.subGroups = subGroups
        (merge, mergeItems) = try Self.merge(columns, storages.query, backend, &collector)
    }

    /// The merging kernel, with as many work-items as take four of `columns` each, or as the compiler leaves it.
    private static func merge(
        _ columns: Int, _ query: KernelStorage, _ backend: OpenCLBackend, _ collector: inout ProgramCollector
    ) throws(AttentionError) -> (ProgramKernel, items: Int) {
        var items = 1
        while items * 4 < columns, items * 2 <= min(backend.profile.largestGroup, 64) { items *= 2 }
        while true {
            let kernel = SplitKernel(step: .merge(items: items), query: query, fuses: backend.profile.fusesMultiplyAdd)
            let program = try collector.program(.split(kernel))
            let room = try collector.largestGroup(program, kernel.name)
            if room >= items || items == 1 { return (ProgramKernel(program, kernel.name), items) }
            items /= 2
        }
    }

    var sizes: [String: Int] { tiles.sizes.merging(subGroups.sizes) { $1 } }

    private func shares(_ problem: AttentionProblem) -> DecodeSplit {
        DecodeSplit(problem, computeUnits: 1, chunkKeys: tiles.items, blockRows: rows)
    }

    func choices(_ problem: AttentionProblem) -> [String] {
        let shares = shares(problem)
        return [
            "each key and value is read once for \(rows) of the \(shares.rows) rows that share it",
            "chunks of \(tiles.items) keys, one for each work-group of \(tiles.items) (\(tiles.measured)); merged in ascending"
                + " order by a kernel of its own",
            "local memory: \(tiles.localBytes(rows: rows)) bytes",
        ] + (isFast ? [HalfProducts.needless] : []) + (subGroups.choice.map { [$0] } ?? [])
    }

    func scratchBytes(_ problem: AttentionProblem) -> Int {
        shares(problem).partBytes(columns: problem.shape.valueDimension, lanes: 4)
    }

    func launch(_ call: CallRun, scratch: Buffer?) throws(OpenCLError) {
        let shares = shares(call.problem)
        let segments = call.problem.segments.count
        guard shares.rows > 0, shares.heads > 0, let scratch else { return }
        var p = call.arguments
        p.tiles = Int32(shares.rows)
        p.keyBlocks = Int32(shares.chunks)
        p.setAligned()
        let constants = try tables.segments(call)
        let buffers = call.buffers
        let heads = call.problem.shape.keyValueHeads
        let first = try split.launch()
            .buffer(buffers.q).buffer(buffers.k).buffer(buffers.v).buffer(buffers.mask).buffer(buffers.slopes)
            .buffer(constants).buffer(tables.blocks(call)).buffer(scratch).bytes(of: p)
        try call.run(
            first, global: WorkSize(shares.blocks * shares.chunks * tiles.items, heads, segments),
            local: WorkSize(tiles.items, 1, 1))
        let second = try merge.launch()
            .buffer(scratch).buffer(buffers.sinks).buffer(buffers.o).buffer(buffers.logSumExp).buffer(constants)
            .bytes(of: p)
        try call.run(
            second, global: WorkSize(shares.rows * mergeItems, heads, segments),
            local: WorkSize(mergeItems, 1, 1))
    }
}
