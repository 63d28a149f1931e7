extension Device {
    /// Scaled dot-product attention with all its options, blocking until the result is there.
    ///
    ///     output = softmax(scale · Q·Kᵀ + mask) · V
    ///
    /// New results live where the query lives: on this device if the query does, else on the host. A call without a row (no batch,
    /// head or query) launches nothing.
    ///
    /// - Parameters:
    ///   - inputs: the operands. They are never changed.
    ///   - options: scale, softcap, and what else to return.
    ///   - outputs: tensors of the caller's to write to, by any strides that keep elements apart, in no memory of an operand; `nil`
    ///     makes new ones. Their contents are undefined after an error other than `AttentionError.invalid`.
    ///   - policy: kernel and workspace.
    ///   - fallback: who finishes the call if this device cannot.
    ///   - control: lets another task cancel, and asks for times.
    /// - Throws: `AttentionError.invalid` for a call that cannot be right, before anything is written;
    ///   `AttentionError.cancelled`; with ``FallbackPolicy/never``, or if all others fail as well, what this device failed with.
    /// - Complexity: `O(B · Hq · Lq · Lk · (D + Dv))` for the pairs that mask, windows and lengths leave.
    ///
    /// Source: Vaswani et al. 2017, arXiv 1706.03762, section 3.2.1.
    public func attend(
        _ inputs: AttentionInputs, _ options: AttentionOptions = .init(), into outputs: AttentionOutputs? = nil,
        policy: PlanPolicy = .init(), fallback: FallbackPolicy = .automatic, control: RunControl = .init()
    ) throws(AttentionError) -> AttentionResult {
        let target = outputs.map { AttentionCall.Target.all($0) } ?? .new(onDevice: holds(inputs.query))
        return try attend(inputs, options, target, policy, fallback, control)
    }

    /// As the form above, with a tensor of the caller's for the output and new ones for the rest.
    public func attend(
        _ inputs: AttentionInputs, _ options: AttentionOptions = .init(), into output: Tensor,
        policy: PlanPolicy = .init(), fallback: FallbackPolicy = .automatic, control: RunControl = .init()
    ) throws(AttentionError) -> AttentionResult {
        let target = AttentionCall.Target.output(output, onDevice: holds(inputs.query))
        return try attend(inputs, options, target, policy, fallback, control)
    }

    /// As the blocking form, off the threads that tasks share. Cancelling the task ends the call between two launches.
    ///
    /// - Throws: also `AttentionError.cancelled` if the task is cancelled, before or while it runs. It is no `CancellationError`, so
    ///   that a call has one type of error.
    public func attend(
        _ inputs: AttentionInputs, _ options: AttentionOptions = .init(), into outputs: AttentionOutputs? = nil,
        policy: PlanPolicy = .init(), fallback: FallbackPolicy = .automatic, control: RunControl = .init()
    ) async throws(AttentionError) -> AttentionResult {
        try await offTheTaskPool(control) { () throws(AttentionError) in
            try self.attend(
                inputs, options, into: outputs, policy: policy, fallback: fallback, control: control)
        }
    }

    /// As the form above, with a tensor of the caller's for the output and new ones for the rest.
    public func attend(
        _ inputs: AttentionInputs, _ options: AttentionOptions = .init(), into output: Tensor,
        policy: PlanPolicy = .init(), fallback: FallbackPolicy = .automatic, control: RunControl = .init()
    ) async throws(AttentionError) -> AttentionResult {
        try await offTheTaskPool(control) { () throws(AttentionError) in
            try self.attend(inputs, options, into: output, policy: policy, fallback: fallback, control: control)
        }
    }

    private func attend(
        _ inputs: AttentionInputs, _ options: AttentionOptions, _ target: AttentionCall.Target, _ policy: PlanPolicy,
        _ fallback: FallbackPolicy, _ control: RunControl
    ) throws(AttentionError) -> AttentionResult {
        let problem = try AttentionProblem(inputs, options)
        return try AttentionCall(
            device: self, inputs: inputs, options: options, problem: problem, target: target, policy: policy,
            fallback: fallback, control: control
        ).perform()
    }
}
