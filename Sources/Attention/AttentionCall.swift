/// One call on its way through a device, and through the reference if the device fails.
struct AttentionCall {
    /// Where results go.
    enum Target {
        /// New memory of the device's, or of the host's.
        case new(onDevice: Bool)
        /// The caller's tensor for the output, new memory for the rest.
        case output(Tensor, onDevice: Bool)
        /// Tensors of the caller's for everything.
        case all(AttentionOutputs)
    }

    let device: Device
    let inputs: AttentionInputs
    let options: AttentionOptions
    let problem: AttentionProblem
    let target: Target
    let policy: PlanPolicy
    let fallback: FallbackPolicy
    let control: RunControl

    /// Computes with the plan that `makePlan` gives.
    func perform(
        _ makePlan: () throws(AttentionError) -> any BackendPlan
    ) throws(AttentionError) -> AttentionResult {
        let start = ContinuousClock.now
        try control.check()
        try inputs.refusePlaceholders()
        try checkTarget()
        if problem.isEmpty { return try finishEmpty(since: start) }
        do throws(AttentionError) {
            let outputs = try makeOutputs()
            let report = try makePlan().run(problem, inputs, outputs, control)
            for note in report.notes { device.logger.notice("\(note)") }
            return AttentionResult(outputs, device.description, report, since: start)
        } catch {
            try control.check()
            guard fallback.covers(error, policy), device.description.kind != .reference else { throw error }
            device.logger.notice(
                "finishing the call on \(device.lastResort.device.name)",
                metadata: ["device": "\(device.description.name)", "reason": "\(error)"])
            return try performOnLastResort(after: error, since: start)
        }
    }

    /// The call once more, in host memory. If that fails too, the first error is the one worth telling.
    private func performOnLastResort(
        after first: AttentionError, since start: ContinuousClock.Instant
    ) throws(AttentionError) -> AttentionResult {
        let backend = device.lastResort
        do throws(AttentionError) {
            let inputs = try self.inputs.onHost()
            let problem = try AttentionProblem(inputs, options)
            let targets = try hostOutputs(problem, inputs)
            let report = try backend.plan(problem, PlanPolicy()).run(problem, inputs, targets, control)
            let outputs = try givenOutputs(filledFrom: targets)
            return AttentionResult(
                outputs, backend.device, report, [Fallback(from: device.description.name, reason: "\(first)")],
                since: start)
        } catch .cancelled {
            throw .cancelled
        } catch {
            device.logger.notice("\(backend.device.name) could not finish the call either: \(error)")
            throw first
        }
    }
}

// MARK: - Outputs

extension AttentionCall {
    /// Checks the caller's tensors before any memory is asked for.
    private func checkTarget() throws(AttentionError) {
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

    private func makeOutputs() throws(AttentionError) -> AttentionOutputs {
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
    private func hostOutputs(
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
    private func givenOutputs(filledFrom host: AttentionOutputs) throws(AttentionError) -> AttentionOutputs {
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
    private func finishEmpty(since start: ContinuousClock.Instant) throws(AttentionError) -> AttentionResult {
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
