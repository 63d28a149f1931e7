import AttentionReference

extension Device {
    /// Scaled dot-product attention with all its options, blocking until the result is there.
    ///
    ///     output = softmax(scale · Q·Kᵀ + mask) · V
    ///
    /// - Parameters:
    ///   - inputs: the operands. They are never changed.
    ///   - options: scale, softcap, and what else to return.
    ///   - outputs: tensors of the caller's to write to; `nil` makes new ones where the query lives. Their contents are undefined
    ///     after an error other than ``AttentionError/invalid(_:)``.
    ///   - policy: kernel and workspace.
    ///   - fallback: what to do if this device fails.
    ///   - control: lets another task cancel, and asks for times.
    /// - Throws: ``AttentionError/invalid(_:)`` for a call that cannot be right, before anything is written;
    ///   ``AttentionError/cancelled``; with ``FallbackPolicy/never`` what the device failed with.
    /// - Complexity: `O(B · Hq · Lq · Lk · (D + Dv))` for the pairs that mask, windows and lengths leave.
    ///
    /// Source: Vaswani et al. 2017, arXiv 1706.03762, section 3.2.1.
    public func attend(
        _ inputs: AttentionInputs, _ options: AttentionOptions = .init(), into outputs: AttentionOutputs? = nil,
        policy: PlanPolicy = .init(), fallback: FallbackPolicy = .automatic, control: RunControl = .init()
    ) throws(AttentionError) -> AttentionResult {
        let start = ContinuousClock.now
        let problem = try AttentionProblem(inputs, options)
        if let outputs { try problem.check(outputs, for: inputs) }
        do throws(AttentionError) {
            let made = if let outputs { outputs } else { try makeOutputs(problem, inputs) }
            return try finish(problem, inputs, made, on: backend, policy, control, [], start)
        } catch {
            guard fallback.covers(error, policy), backend.device.kind != .reference else { throw error }
            let reason = Fallback(from: description.name, reason: error.description)
            logger.notice("finished on the reference: \(reason)")
            let made = if let outputs { outputs } else { try Self.hostOutputs(problem, inputs) }
            let reference = ReferenceBackend()
            return try finish(problem, inputs, made, on: reference, PlanPolicy(), control, [reason], start)
        }
    }

    /// As the blocking form, off the threads that tasks share. Cancelling the task ends the call between two launches.
    ///
    /// - Throws: also ``AttentionError/cancelled`` if the task is cancelled, before or while it runs.
    public func attend(
        _ inputs: AttentionInputs, _ options: AttentionOptions = .init(), into outputs: AttentionOutputs? = nil,
        policy: PlanPolicy = .init(), fallback: FallbackPolicy = .automatic, control: RunControl = .init()
    ) async throws(AttentionError) -> AttentionResult {
        try await offTheTaskPool(control) { () throws(AttentionError) in
            try control.check()
            return try self.attend(
                inputs, options, into: outputs, policy: policy, fallback: fallback, control: control)
        }
    }

    private func finish(
        _ problem: AttentionProblem, _ inputs: AttentionInputs, _ outputs: AttentionOutputs, on backend: any Backend,
        _ policy: PlanPolicy, _ control: RunControl, _ fallbacks: [Fallback], _ start: ContinuousClock.Instant
    ) throws(AttentionError) -> AttentionResult {
        let report: RunReport
        if problem.isEmpty && !problem.hasPast {
            report = RunReport(kernel: "none", build: .native, scratchBytes: 0)
        } else {
            report = try backend.plan(problem, policy).run(problem, inputs, outputs, control)
        }
        let elapsed = ContinuousClock.now - start
        return AttentionResult(
            outputs: outputs, device: backend.device, report: report, fallbacks: fallbacks,
            milliseconds: elapsed / .milliseconds(1))
    }

    /// Outputs on this device if the query is in a device's memory, else on the host.
    private func makeOutputs(
        _ problem: AttentionProblem, _ inputs: AttentionInputs
    ) throws(AttentionError) -> AttentionOutputs {
        if inputs.query.storage.hostBytes != nil { return try Self.hostOutputs(problem, inputs) }
        return try problem.makeOutputs(for: inputs) { (bytes) throws(AttentionError) in
            try backend.makeStorage(byteCount: bytes)
        }
    }

    private static func hostOutputs(
        _ problem: AttentionProblem, _ inputs: AttentionInputs
    ) throws(AttentionError) -> AttentionOutputs {
        try problem.makeOutputs(for: inputs) { (bytes) throws(AttentionError) in try HostStorage(byteCount: bytes) }
    }
}
