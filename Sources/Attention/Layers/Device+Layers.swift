extension Device {
    /// Brings a weight matrix, `[outputs, inputs]` of `float32`, `float16` or `bfloat16`, to where this device's layers read it
    /// fastest. Do it once and keep the result.
    ///
    /// - Throws: `AttentionError.invalid` for anything else; `outOfMemory` or `deviceFailed`.
    public func prepare(weight: Tensor) throws(AttentionError) -> any PreparedWeight {
        let host = try weight.onHost()
        guard host.rank == 2, !host.layout.isContiguous else { return try backend.prepare(weight: host) }
        return try backend.prepare(
            weight: Tensor(bytes: host.contiguousBytes(), shape: host.shape, elementType: host.elementType))
    }

    /// Has layers computed by the kernels of a family, `wide` or `tiled`, where this device would choose the other: for simulators and
    /// tests. `nil` leaves the choice. It holds for all copies of the device, from the next step on.
    ///
    /// A step that the family has no kernel for is then an error, and computed by nobody else.
    ///
    /// - Throws: `AttentionError.unsupported` where there is no such family.
    public func useLayers(ofFamily family: String?) throws(AttentionError) {
        try backend.useLayers(ofFamily: family)
    }

    /// Computes one step of a layer, blocking until its outputs are written.
    ///
    /// What this device cannot do, or fails at, the devices of `fallback` do from host memory, natively in the end; the results go to
    /// where the operation has its outputs. A step that writes over its own operands cannot be done again: its failure is thrown,
    /// unless the device refused to begin.
    ///
    /// - Returns: who failed or rested before somebody had an answer.
    /// - Throws: `AttentionError.cancelled`; with ``FallbackPolicy/never``, or if all others fail as well, what this device failed
    ///   with.
    @discardableResult
    public func perform(
        _ operation: LayerOperation, fallback: FallbackPolicy = .automatic, control: RunControl = .init()
    ) throws(AttentionError) -> [Fallback] {
        try control.check()
        var walk = FallbackWalk(
            self, fallback, PlanPolicy(family: backend.layerFamily), control, isInPlace: operation.isInPlace)
        var stand: HostStep?
        try walk.run(success: .worked) { () throws(AttentionError) in
            try perform(operation, on: backend, control)
        } prepare: { () throws(AttentionError) in
            stand = try HostStep(operation)
        } next: { (standby) throws(AttentionError) in
            guard let step = stand else {
                throw .deviceFailed(device: description.name, detail: "the operands cannot be read")
            }
            try perform(step.operation, on: try open(standby, control), control)
            try step.finish()
        }
        return walk.fallbacks
    }

    /// Runs `body`, whose calls of this device on this thread follow each other without a wait where that is possible.
    ///
    ///     let output = try device.sequence { () throws(AttentionError) in
    ///         try device.perform(.linear(first))
    ///         try device.perform(.linear(second))
    ///         return try second.output.tensor.floats()
    ///     }
    ///
    /// Launch and wait cost some devices more than a small step's work. Tensors in the device's memory may be handed from call to
    /// call; results in host memory, and downloads, are waited for where they are asked for. Other threads may use what the
    /// calls wrote when the sequence has ended. Sequences within another one are part of it; with a ``timeLimit``, and for calls
    /// that are measured, each call is waited for.
    ///
    /// - Throws: What `body` throws, or else `AttentionError.deviceFailed` if a call failed after it returned: nobody stands in for it
    ///   then, and what the sequence wrote is undefined.
    public func sequence<Result>(
        _ body: () throws(AttentionError) -> Result
    ) throws(AttentionError) -> Result { try backend.sequence(body) }

    private func perform(
        _ operation: LayerOperation, on backend: any Backend, _ control: RunControl
    ) throws(AttentionError) {
        try watched(backend.device, control) { (control) throws(AttentionError) in
            try backend.perform(operation, control)
        }
    }

    /// As the blocking form, off the threads that tasks share.
    @discardableResult
    public func perform(
        _ operation: LayerOperation, fallback: FallbackPolicy = .automatic, control: RunControl = .init()
    ) async throws(AttentionError) -> [Fallback] {
        try await offTheTaskPool(control) { () throws(AttentionError) in
            try self.perform(operation, fallback: fallback, control: control)
        }
    }
}

extension LayerOperation {
    /// Whether it writes to memory that it reads.
    fileprivate var isInPlace: Bool {
        var read: Set<ObjectIdentifier> = []
        var written: Set<ObjectIdentifier> = []
        _ = try? mapped { (tensor) throws(AttentionError) in
            read.insert(ObjectIdentifier(tensor.storage))
            return tensor
        } output: { (tensor) throws(AttentionError) in
            written.insert(ObjectIdentifier(tensor.storage))
            return tensor
        }
        return !read.isDisjoint(with: written)
    }
}
