import AttentionCore
import HostKernels
import KernelCalls

extension InstructionSet {
    /// The variant of `flash_wide` that does the least in vain, its speed taken into account: lanes without a query, and keys that
    /// only some queries of a tile attend.
    ///
    /// - Parameters:
    ///   - queries: of the longest segment.
    ///   - keys: that a query attends where causal mask and window bound them; `nil` where they do not.
    func flash(queries: Int, keys: Int?) -> (host_kernel, FlashTiles) {
        let set = kernels.pointee
        let variants = [set.flash.0, set.flash.1, set.flash.2].filter { $0.run != nil }.map { kernel in
            let tiles = FlashTiles(
                lanes: Int(set.lanes), queryVectors: Int(kernel.query_vectors), tileK: Int(kernel.tile_k),
                tileV: Int(kernel.tile_v), relativeSpeed: Double(kernel.relative_speed), measured: "EPYC, 2026-11")
            return (kernel, tiles)
        }
        func cost(_ tiles: FlashTiles) -> Double {
            guard let keys else { return tiles.cost(queries) }
            return tiles.cost(queries) * (1 + Double(tiles.tileQ) / Double(max(keys, 1)))
        }
        return variants.min { cost($0.1) < cost($1.1) } ?? variants[0]
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
    /// Keys that a query in the middle of the longest segment attends, if causal mask or window bound them.
    var boundedKeys: Int? {
        guard isCausal || windowLeft != nil || windowRight != nil else { return nil }
        guard let longest = segments.max(by: { $0.queryCount < $1.queryCount }) else { return nil }
        return keyRange(longest, row: longest.queryCount / 2).count
    }

    /// Multiply-adds if no mask excluded a key.
    var mostMultiplyAdds: Int {
        let pairs = segments.reduce(0) { $0 &+ $1.queryCount &* $1.keyCount } &* shape.queryHeads
        return pairs &* (shape.headDimension &+ shape.valueDimension)
    }
}
