import AttentionCore
import KernelCalls
import OpenCLRuntime

/// `flash_tiled`: everything in one kernel by work-group tiles, without scratch memory.
struct TiledKernels: FusedKernels {
    static let name = "flash_tiled"
    static let space = TileSpace(TiledTiles.space.sizes + SubGroups.space)

    private let kernel: TiledKernel
    private let program: ProgramKernel
    private let tables = CallTables()

    static func refusal(
        _ problem: AttentionProblem, _ backend: OpenCLBackend, _ policy: PlanPolicy, width: Int
    ) -> String? {
        if let refusal = space.refusal(policy.tiles) ?? SubGroups.refusal(backend.profile, policy.tiles) {
            return "\(name): \(refusal)"
        }
        guard tiles(problem, backend, policy).isEmpty else { return nil }
        let given = TiledTiles.given(Self.own(policy), hasHalfProducts: policy.precision == .fast)
        if !given.refusal.isEmpty { return "\(name): \(given.refusal)" }
        return
            "\(name): no tiles for work-groups of \(backend.profile.largestGroup) and \(backend.profile.localMemoryBytes) bytes of"
            + " local memory"
    }

    /// Tile sizes that the policy gives, without those of sub-groups.
    private static func own(_ policy: PlanPolicy) -> [String: Int] {
        policy.tiles.filter { name, _ in TiledTiles.space.sizes.contains { $0.name == name } }
    }

    private static func tiles(
        _ problem: AttentionProblem, _ backend: OpenCLBackend, _ policy: PlanPolicy
    ) -> [TiledTiles] {
        let own = own(policy)
        let isFast = policy.precision == .fast
        let rows =
            own.isEmpty
            ? TiledTiles.table(hasHalfProducts: isFast)
            : [TiledTiles.given(own, hasHalfProducts: isFast).tiles].compactMap(\.self)
        return rows.filter {
            $0.fits(
                largestGroup: backend.profile.largestGroup, localBytes: backend.profile.localMemoryBytes,
                columns: problem.shape.valueDimension)
        }
    }

    init(
        _ problem: AttentionProblem, _ backend: OpenCLBackend, _ policy: PlanPolicy, width: Int,
        _ collector: inout ProgramCollector
    ) throws(AttentionError) {
        let storages = try CallStorages(problem, backend.device)
        for tiles in Self.tiles(problem, backend, policy) {
            let kernel = TiledKernel(
                query: storages.query, value: storages.value, hasMask: storages.hasMask,
                hasShuffles: backend.profile.hasShuffles, fuses: backend.profile.fusesMultiplyAdd,
                subGroups: SubGroups(backend.profile, policy.tiles, isPowerOf2: tiles.itemsC.nonzeroBitCount == 1),
                valueVectors: tiles.valueVectors(problem.shape.valueDimension), tiles: tiles)
            let program = try collector.program(.tiled(kernel))
            guard try collector.largestGroup(program, Self.name) >= tiles.group else { continue }
            self.kernel = kernel
            self.program = ProgramKernel(program, Self.name)
            return
        }
        throw .unsupported(
            device: backend.device.name,
            reason: Self.refusal(problem, backend, policy, width: width)
                ?? "\(Self.name): its compiler leaves no work-group")
    }

    private func columnBlocks(_ problem: AttentionProblem) -> Int {
        let columns = kernel.tiles.columns(kernel.valueVectors)
        return (max(problem.shape.valueDimension, 1) + columns - 1) / columns
    }

    var sizes: [String: Int] { kernel.tiles.sizes.merging(kernel.subGroups.sizes) { $1 } }

    func choices(_ problem: AttentionProblem) -> [String] {
        let tiles = kernel.tiles
        let blocks = columnBlocks(problem)
        return [
            "one pass over the keys with an online softmax, no scratch memory",
            "tile: \(tiles.tileQ) queries × \(tiles.tileK) keys × \(tiles.columns(kernel.valueVectors)) value columns for"
                + " \(tiles.itemsQ) × \(tiles.itemsC) work-items (\(tiles.measured))",
            "local memory: \(tiles.localBytes(valueVectors: kernel.valueVectors)) bytes",
        ] + (tiles.hasHalfProducts ? [HalfProducts.choice] : []) + (kernel.subGroups.choice.map { [$0] } ?? [])
            + (blocks > 1 ? ["\(blocks) work-groups share the value columns of a tile, each with all scores"] : [])
    }

    func scratchBytes(_ problem: AttentionProblem) -> Int { 0 }

    func launch(_ call: CallRun, scratch: Buffer?) throws(OpenCLError) {
        let tiles = kernel.tiles
        let longest = call.problem.segments.reduce(0) { max($0, $1.queryCount) }
        let count = (longest + tiles.tileQ - 1) / tiles.tileQ
        let shape = call.problem.shape
        guard count > 0, shape.queryHeads > 0 else { return }
        var p = call.arguments
        p.tiles = Int32(count)
        p.keyBlocks = Int32(columnBlocks(call.problem))
        p.setAligned()
        let buffers = call.buffers
        let launch = try program.launch()
            .buffer(buffers.q).buffer(buffers.k).buffer(buffers.v).buffer(buffers.o).buffer(buffers.logSumExp)
            .buffer(buffers.mask).buffer(buffers.slopes).buffer(buffers.sinks)
            .buffer(tables.segments(call)).buffer(tables.blocks(call))
            .bytes(of: p)
        let global = WorkSize(count * Int(p.keyBlocks) * tiles.group, shape.queryHeads, call.problem.segments.count)
        try call.run(launch, global: global, local: WorkSize(tiles.group, 1, 1))
    }
}
