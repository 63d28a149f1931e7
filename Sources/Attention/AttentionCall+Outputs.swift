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

    /// Host memory for all results. The caller's tensors on a device come with what stands between their elements.
    func hostOutputs(
        _ problem: AttentionProblem, _ inputs: AttentionInputs
    ) throws(AttentionError) -> AttentionOutputs {
        switch target {
        case .new:
            return try problem.makeOutputs(for: inputs) { (bytes) throws(AttentionError) in
                try HostStorage(byteCount: bytes)
            }
        case .output(let output, _):
            return try problem.makeOutputs(for: inputs, output: try output.onHost()) { (bytes) throws(AttentionError) in
                try HostStorage(byteCount: bytes)
            }
        case .all(let outputs): return try outputs.onHost()
        }
    }

    /// The caller's tensors, filled where they are on a device; the new ones stay on the host.
    func givenOutputs(filledFrom host: AttentionOutputs) throws(AttentionError) -> AttentionOutputs {
        switch target {
        case .new: return host
        case .output(let output, _):
            try output.overwrite(from: host.output)
            var outputs = host
            outputs.output = output
            return outputs
        case .all(let outputs):
            for ((_, given), (_, filled)) in zip(outputs.named, host.named) { try given.overwrite(from: filled) }
            return outputs
        }
    }

    /// A call without a row launches nothing; past and new keys are still put together.
    func finishEmpty(since start: ContinuousClock.Instant) throws(AttentionError) -> AttentionResult {
        let host = try hostOutputs(problem, inputs)
        try host.joinPresent(inputs)
        let report = RunReport(kernel: "none", build: .native, scratchBytes: 0)
        return AttentionResult(try givenOutputs(filledFrom: host), device.description, report, since: start)
    }
}

extension Tensor {
    /// Copies `host`, which came from `onHost()` of this tensor, back to where this tensor is.
    func overwrite(from host: Tensor) throws(AttentionError) {
        guard count > 0, storage !== host.storage, let bytes = host.storage.hostBytes else { return }
        let size = elementType.byteCount
        let start = host.layout.extent.lowerBound * size
        let filled = UnsafeRawBufferPointer(rebasing: bytes[start..<host.layout.extent.upperBound * size])
        try storage.upload(filled, at: layout.extent.lowerBound * size)
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

    func onHost() throws(AttentionError) -> AttentionOutputs {
        AttentionOutputs(
            output: try output.onHost(), logSumExp: try logSumExp?.onHost(), scores: try scores?.onHost(),
            presentKey: try presentKey?.onHost(), presentValue: try presentValue?.onHost())
    }
}
