import AttentionCore
import HostKernels
import KernelCalls

extension NativeBackend {
    public func prepare(weight: Tensor) throws(AttentionError) -> any PreparedWeight {
        try NativeWeight(
            weight, linearTiles, on: pool, threads: threads(bytes: weight.count * weight.elementType.byteCount))
    }

    /// It has the one family.
    public func useLayers(ofFamily family: String?) throws(AttentionError) {
        guard let family, family != "wide" else { return }
        throw .unsupported(device: device.name, reason: "it has kernels of the family wide alone, none of \(family)")
    }

    public func perform(_ operation: LayerOperation, _ control: RunControl) throws(AttentionError) {
        try control.check()
        if let refusal = operation.kernelRefusal { throw .unsupported(device: device.name, reason: refusal) }
        if try performHere(operation) { return }
        let step = try HostStep(operation)
        guard try performHere(step.operation) else {
            throw .deviceFailed(device: device.name, detail: "the operands cannot be read")
        }
        try step.finish()
    }

    /// Computes it if all operands are in host memory; false if not.
    private func performHere(_ operation: LayerOperation) throws(AttentionError) -> Bool {
        defer { withExtendedLifetime(operation) {} }
        return switch operation {
        case .linear(let step): try perform(step)
        case .normalization(let step): try perform(step)
        case .embedding(let step): try perform(step)
        case .additiveAttention(let step): try perform(step)
        case .rotary(let step): try perform(step)
        case .selection(let step): try perform(step)
        case .pooling(let step): try perform(step)
        case .copy(let step): try perform(step)
        }
    }

    var layers: host_layer_kernels { instructionSet.kernels.pointee.layers }

    /// The tiles that the kernel of this instruction set was compiled with.
    var linearTiles: LinearTiles {
        LinearTiles.row(nativeWidth: Int(instructionSet.kernels.pointee.lanes)) ?? LinearTiles.table[0]
    }

    /// Threads that are worth waking to move so many bytes: each has some ten microseconds of work at least.
    func threads(bytes: Int) -> Int { min(threads, max(1, bytes / (128 << 10))) }
}
