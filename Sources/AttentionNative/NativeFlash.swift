import AttentionCore
import HostKernels
import KernelCalls

/// `flash_wide`: everything in one pass over the keys.
struct NativeFlash: NativeKernels {
    static let name = "flash_wide"
    static let readsBlocks = true

    private let backend: NativeBackend
    private let kernel: host_kernel
    private let tiles: FlashTiles
    private let room: Int

    init(_ problem: AttentionProblem, _ backend: NativeBackend) {
        self.backend = backend
        let longest = problem.segments.reduce(0) { max($0, $1.queryCount) }
        (kernel, tiles) = backend.instructionSet.flash(queries: longest, keys: problem.boundedKeys)
        room = NativeRoom.room(problem)
    }

    func choices(_ problem: AttentionProblem) -> [String] {
        let blocks = blocks(problem)
        return [
            "one pass over the keys with an online softmax, no scratch memory",
            "tile: \(tiles.tileQ) queries, \(tiles.lanes) to a vector, × \(tiles.tileK) keys, \(tiles.tileV) value columns"
                + " (\(tiles.measured))",
            "work-items: \(blocks.items) with \(blocks.tilesPerItem) tiles each",
        ]
    }

    func scratchBytes(_ problem: AttentionProblem) -> Int { 0 }

    func run(
        _ problem: AttentionProblem, _ inputs: AttentionInputs, _ outputs: AttentionOutputs, _ control: RunControl
    ) throws(AttentionError) {
        let blocks = blocks(problem)
        var call = try NativeCall(problem, inputs, outputs)
        call.problem.tiles = Int32(blocks.tiles)
        call.problem.blockTiles = Int32(blocks.tilesPerItem)
        try call.launch(
            kernel, global: (blocks.itemsPerHead, problem.shape.keyValueHeads, problem.segments.count), room: room,
            threads: backend.threads(multiplyAdds: problem.mostMultiplyAdds), on: backend.pool)
        try call.operands.finish()
    }

    private func blocks(_ problem: AttentionProblem) -> FlashBlocks {
        FlashBlocks(
            problem, tileQ: tiles.tileQ, mostTiles: FlashBlocks.mostTiles(room: room, tileQ: tiles.tileQ),
            computeUnits: backend.threads(multiplyAdds: problem.mostMultiplyAdds))
    }
}
