public import AttentionCore
import AttentionOpenCL

extension Device {
    /// Searches the tiles that are fastest for calls of a kind on this device, and has plans take them from now on.
    ///
    /// The search changes one size of a kernel at a time for as long as that helps, for each kernel that suits the call. Every candidate
    /// passes the self-test and is held to the reference on the call itself, all of it or rows of some heads, before it is timed; what
    /// is slow is given up after one call. At the end the best and the untuned plan are timed in turns, and the best is kept if it is
    /// at least 2 % faster.
    ///
    /// What is kept lies in the program cache, under the device, its driver and the kernel's text, and speaks for a class of calls: the
    /// same types, head dimensions that fill the same multiples of 16, lengths and counts of heads between the same powers of 4.
    /// Other devices that are open in this process, and plans that were made before, keep what they have. `PlanPolicy.usesTuning`
    /// turns it off for a call. Tiles are part of a kernel's arithmetic: a tuned plan may round otherwise.
    ///
    /// - Parameters:
    ///   - shape: The sizes of the call. Operands are made here, in the device's memory.
    ///   - mask: Causality and a window. Plans with a mask tensor are not searched for.
    ///   - elementType: Of query and key.
    ///   - valueType: Of value; `nil` is the query's.
    ///   - policy: A kernel by name, or a family.
    ///   - progress: Told before each candidate; `false` stops with the best so far.
    /// - Throws: `unsupported` for a device without kernels to choose tiles for, `invalid` for a shape or mask that cannot be, and what the
    ///   device fails with.
    ///
    /// Cost: a build and some calls for each of 10 to 40 candidates; seconds to minutes.
    public func tune(
        _ shape: AttentionShape, mask: AttentionMask = .none, elementType: ElementType = .float32,
        valueType: ElementType? = nil, policy: PlanPolicy = .init(),
        progress: (TuningProgress) -> Bool = { _ in true }
    ) throws(AttentionError) -> TuningResult {
        guard let backend = backend as? OpenCLBackend else {
            throw .unsupported(device: description.name, reason: "tiles are chosen for OpenCL devices alone")
        }
        guard mask.tensor == nil else {
            throw .invalid("mask", .combination, expected: "causality and a window at most", found: "a tensor")
        }
        guard policy.tiles.isEmpty else {
            throw .invalid("policy", .value, expected: "no tile sizes", found: "\(policy.tiles.count)")
        }
        let operands = try TimedOperands(shape, elementType, valueType: valueType, mask, on: backend)
        var tuner = try Tuner(backend, operands, policy)
        let result = try tuner.run(progress: progress)
        plans.clear()
        return result
    }
}
