import AttentionCore
import KernelCalls
import Workers

/// A weight matrix in the panels that `linear_wide` reads, in its own type.
final class NativeWeight: PreparedWeight {
    let source: Tensor
    let tiles: LinearTiles
    private let storage: HostStorage

    /// Packs `source`, whose panels `threads` threads of `pool` share.
    ///
    /// - Throws: As `LinearOperation.checkWeight`; `AttentionError.outOfMemory`.
    init(_ source: Tensor, _ tiles: LinearTiles, on pool: WorkerPool, threads: Int) throws(AttentionError) {
        try LinearOperation.checkWeight(source)
        let (outputs, inputs, size) = (source.shape[0], source.shape[1], source.elementType.byteCount)
        let storage = try HostStorage(byteCount: tiles.packedCount(outputs: outputs, inputs: inputs) * size)
        (self.source, self.tiles, self.storage) = (source, tiles, storage)
        guard source.count > 0, let bytes = source.storage.hostBytes, let base = bytes.baseAddress,
            let target = storage.hostBytes?.baseAddress
        else { return }
        let packing = Packing(
            tiles: tiles, source: UnsafeRawPointer(base) + source.layout.offset * size, target: target,
            outputs: outputs, inputs: inputs, elementBytes: size)
        let failure = withUnsafePointer(to: packing) { packing -> WorkerError? in
            do throws(WorkerError) {
                try pool.run(
                    Packing.work, packing, count: tiles.panels(outputs), grain: threads > 1 ? 1 : .max,
                    threads: threads,
                    scratchBytes: 0)
                return nil
            } catch { return error }
        }
        withExtendedLifetime(source) {}
        if let failure { throw AttentionError(failure) }
    }

    var base: UnsafeRawPointer? { storage.hostBytes.flatMap { UnsafeRawPointer($0.baseAddress) } }
}

/// One packing, for the threads that share it.
private struct Packing {
    let tiles: LinearTiles
    let source: UnsafeRawPointer
    let target: UnsafeMutableRawPointer
    let outputs: Int
    let inputs: Int
    let elementBytes: Int

    static let work: WorkerPool.Work = { context, first, last, _ in
        let packing = context.assumingMemoryBound(to: Packing.self).pointee
        packing.tiles.pack(
            first..<last, of: packing.source, to: packing.target, outputs: packing.outputs, inputs: packing.inputs,
            elementBytes: packing.elementBytes)
    }
}

extension AttentionError {
    /// What a job of the native pool failed with.
    init(_ error: WorkerError) {
        switch error {
        case .noMemory(let bytes): self = .outOfMemory(bytes: bytes, device: "native")
        case .forked: self = .deviceFailed(device: "native", detail: "the process forked within the call")
        }
    }
}
