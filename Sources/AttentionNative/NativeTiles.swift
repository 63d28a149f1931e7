import AttentionCore
import HostKernels
import KernelCalls

extension InstructionSet {
    /// The variant of `flash_wide` that wastes the fewest lanes on `queries` queries, its speed taken into account.
    func flash(queries: Int) -> (host_kernel, FlashTiles) {
        let set = kernels.pointee
        let variants = [set.flash.0, set.flash.1, set.flash.2].filter { $0.run != nil }.map { kernel in
            let tiles = FlashTiles(
                lanes: Int(set.lanes), queryVectors: Int(kernel.query_vectors), tileK: Int(kernel.tile_k),
                tileV: Int(kernel.tile_v), relativeSpeed: Double(kernel.relative_speed), measured: "EPYC, 2026-11")
            return (kernel, tiles)
        }
        return variants.min { $0.1.cost(queries) < $1.1.cost(queries) } ?? variants[0]
    }

    /// The variant of `decode_wide` for `rows` rows that share a read of a key.
    func decode(rows: Int) -> host_kernel {
        let set = kernels.pointee
        return rows >= 3 ? set.decode.1 : set.decode.0
    }
}

/// Private memory for a head dimension: natively just enough, as no program has to be built for it.
enum NativeRoom {
    static func room(_ problem: AttentionProblem) -> Int {
        (max(problem.shape.headDimension, problem.shape.valueDimension) + 15) / 16 * 16
    }
}

extension AttentionProblem {
    /// Multiply-adds if no mask excluded a key.
    var mostMultiplyAdds: Int {
        let pairs = segments.reduce(0) { $0 &+ $1.queryCount &* $1.keyCount } &* shape.queryHeads
        return pairs &* (shape.headDimension &+ shape.valueDimension)
    }
}
