extension AttentionCall {
    /// Checks the caller's tensors before any memory is asked for.
    func checkTarget() throws(AttentionError) {
        switch target {
        case .new: break
        case .output(let output, _):
            try Self.refusePlaceholder("output", output)
            let outputs = try problem.makeOutputs(for: inputs, output: output) { PlaceholderStorage(byteCount: $0) }
            try problem.check(outputs, for: inputs)
        case .all(let outputs):
            for (name, tensor) in outputs.named { try Self.refusePlaceholder(name, tensor) }
            try problem.check(outputs, for: inputs)
        }
    }

    static func refusePlaceholder(_ name: String, _ tensor: Tensor?) throws(AttentionError) {
        if tensor?.isPlaceholder == true { throw PlaceholderStorage.error(name) }
    }

    func makeOutputs() throws(AttentionError) -> AttentionOutputs {
        switch target {
        case .new(let onDevice): try newOutputs(onDevice: onDevice, output: nil)
        case .output(let output, let onDevice): try newOutputs(onDevice: onDevice, output: output)
        case .all(let outputs): outputs
        }
    }

    private func newOutputs(onDevice: Bool, output: Tensor?) throws(AttentionError) -> AttentionOutputs {
        try problem.makeOutputs(for: inputs, output: output) { (bytes) throws(AttentionError) in
            onDevice ? try device.backend.makeStorage(byteCount: bytes) : try HostStorage(byteCount: bytes)
        }
    }

    /// Memory that stands in for the caller's until the call has ended well; the caller's own where `takesHostMemory` allows it.
    ///
    /// - Parameters:
    ///   - onDevice: Stand-ins lie where what they stand for lies, on this device or the host; otherwise all on the host.
    ///   - takesHostMemory: Whether tensors of the caller's on the host are written in place.
    func standIns(onDevice: Bool, takesHostMemory: Bool = false) throws(AttentionError) -> AttentionOutputs {
        func make(_ bytes: Int, _ isFar: Bool) throws(AttentionError) -> any TensorStorage {
            onDevice && isFar ? try device.backend.makeStorage(byteCount: bytes) : try HostStorage(byteCount: bytes)
        }
        func standIn(_ tensor: Tensor) throws(AttentionError) -> Tensor {
            if takesHostMemory && tensor.storage.hostBytes != nil { return tensor }
            let extent = tensor.layout.extent
            // Laid out as the tensor, and begun where it begins.
            let layout = try TensorLayout(
                shape: tensor.shape, strides: tensor.strides, offset: tensor.layout.offset - extent.lowerBound)
            let bytes = extent.count * tensor.elementType.byteCount
            return try Tensor(
                storage: try make(bytes, device.holds(tensor)), layout: layout, elementType: tensor.elementType)
        }
        func made(_ output: Tensor?, _ isFar: Bool) throws(AttentionError) -> AttentionOutputs {
            try problem.makeOutputs(for: inputs, output: output) { (bytes) throws(AttentionError) in
                try make(bytes, isFar)
            }
        }
        switch target {
        case .new(let isFar): return try made(nil, isFar)
        case .output(let output, let isFar): return try made(try standIn(output), isFar)
        case .all(let outputs): return try outputs.map(standIn)
        }
    }

    /// `made` with the caller's tensors in their places, filled from those that stood in for them.
    func delivered(_ made: AttentionOutputs) throws(AttentionError) -> AttentionOutputs {
        var (outputs, copies): (AttentionOutputs, [(to: Tensor, from: Tensor)]) = (made, [])
        switch target {
        case .new: return made
        case .output(let output, _):
            copies = [(output, made.output)]
            outputs.output = output
        case .all(let given):
            copies = zip(given.named, made.named).map { ($0.1, $1.1) }
            outputs = given
        }
        let needed = copies.filter { $0.to.storage !== $0.from.storage }
        if needed.isEmpty { return outputs }
        let areAllOnHost = needed.allSatisfy { $0.to.storage.hostBytes != nil && $0.from.storage.hostBytes != nil }
        let copy: @Sendable () throws(AttentionError) -> Void = { () throws(AttentionError) in
            for (to, from) in needed { try to.fill(from: from) }
        }
        if areAllOnHost { try copy() } else { try device.watched(control) { (_) throws(AttentionError) in try copy() } }
        return outputs
    }

    /// A call without a row launches nothing; past and new keys are still put together.
    func finishEmpty(since start: ContinuousClock.Instant) throws(AttentionError) -> AttentionResult {
        let host = try standIns(onDevice: false, takesHostMemory: true)
        try host.joinPresent(inputs)
        let report = RunReport(kernel: "none", build: .native, scratchBytes: 0)
        return AttentionResult(try delivered(host), device.description, report, since: start)
    }
}

extension AttentionOutputs {
    fileprivate var named: [(String, Tensor)] {
        [("output", output)]
            + [
                ("logSumExp", logSumExp), ("scores", scores), ("presentKey", presentKey),
                ("presentValue", presentValue),
            ].compactMap { name, tensor in tensor.map { (name, $0) } }
    }

    fileprivate func map(_ change: (Tensor) throws(AttentionError) -> Tensor) throws(AttentionError) -> AttentionOutputs
    {
        func changed(_ tensor: Tensor?) throws(AttentionError) -> Tensor? {
            guard let tensor else { return nil }
            return try change(tensor)
        }
        return AttentionOutputs(
            output: try change(output), logSumExp: try changed(logSumExp), scores: try changed(scores),
            presentKey: try changed(presentKey), presentValue: try changed(presentValue))
    }
}
