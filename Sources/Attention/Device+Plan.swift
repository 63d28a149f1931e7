extension Device {
    /// Makes a call ready to run many times.
    ///
    /// A mask tensor is planned for by its type and shape: give the tensor itself, or `.tensor(shape:elementType:)` and the tensor
    /// with each call.
    ///
    /// ```swift
    /// let plan = try device.attentionPlan(shape, mask: [.causal, .tensor(shape: [batch, 1, 1, keys])])
    /// let output = try plan.forward(query: q, key: k, value: v, mask: padding)
    /// ```
    ///
    /// - Parameters:
    ///   - shape: The sizes of each call.
    ///   - mask: Which keys each query may attend.
    ///   - elementType: Of query and key.
    ///   - valueType: Of value; `nil` is the query's.
    ///   - options: Scale, softcap, and what to return besides the output.
    ///   - policy: A kernel by name, and how much scratch memory may be taken.
    ///   - fallback: Whether a plan is made all the same where this device cannot, fails at it or rests: its calls are then
    ///     computed by the next device of this policy, and by this one again after its rest. ``AttentionPlan/fallbacks`` says so.
    ///     Each call has a policy of its own.
    /// - Throws: `AttentionError.invalid`; with ``FallbackPolicy/never``, or if nobody else can either, what this device failed with:
    ///   `unsupported`, `deviceFailed` or `outOfMemory`. A kernel asked for by name that cannot be had is always `unsupported`.
    ///
    /// Cost: the kernel's build, 0.2 to 1 s unless it is cached.
    public func attentionPlan(
        _ shape: AttentionShape, mask: AttentionMask = .none, elementType: ElementType = .float32,
        valueType: ElementType? = nil, options: AttentionOptions = .init(), policy: PlanPolicy = .init(),
        fallback: FallbackPolicy = .automatic
    ) throws(AttentionError) -> AttentionPlan {
        try attentionPlan(
            for: AttentionInputs(
                query: .placeholder(shape.queryShape, elementType), key: .placeholder(shape.keyShape, elementType),
                value: .placeholder(shape.valueShape, valueType ?? elementType), mask: mask),
            options, policy: policy, fallback: fallback)
    }

    /// Makes calls like one with `inputs` ready: with past keys, packed sequences, lengths, slopes, sinks, or of rank 3.
    ///
    /// No element is read: tensors may be placeholders. The plan keeps the mask tensor and no other.
    ///
    /// - Throws: As ``attentionPlan(_:mask:elementType:valueType:options:policy:fallback:)``.
    public func attentionPlan(
        for inputs: AttentionInputs, _ options: AttentionOptions = .init(), policy: PlanPolicy = .init(),
        fallback: FallbackPolicy = .automatic
    ) throws(AttentionError) -> AttentionPlan {
        let problem = try AttentionProblem(inputs, options)
        let made = problem.isEmpty ? nil : try made(problem, inputs.mask, policy, fallback)
        var template = inputs
        template.query = try .placeholder(inputs.query.layout, inputs.query.elementType)
        template.key = try .placeholder(inputs.key.layout, inputs.key.elementType)
        template.value = try .placeholder(inputs.value.layout, inputs.value.elementType)
        template.pastKey = nil
        template.pastValue = nil
        return AttentionPlan(
            device: self, shape: problem.shape, elementType: problem.queryType, policy: policy,
            explanation: made?.plan.explanation
                ?? PlanExplanation(kernel: "none", choices: ["there is no row to compute"]),
            fallbacks: made?.fallbacks ?? [], planned: made?.device ?? description, options: options,
            template: template, signature: PlanSignature(problem, inputs.mask),
            prepared: made?.isOwn == true ? made?.plan : nil)
    }

    /// A plan, and whose it is.
    private struct Planned {
        let plan: any BackendPlan
        let device: DeviceDescription
        let isOwn: Bool
        /// Who failed or rested before.
        var fallbacks: [Fallback] = []
    }

    private func made(
        _ problem: AttentionProblem, _ mask: AttentionMask, _ policy: PlanPolicy, _ fallback: FallbackPolicy
    ) throws(AttentionError) -> Planned {
        let control = RunControl()
        var walk = FallbackWalk(self, fallback, policy, control)
        var planned = try walk.run(success: .planned) { () throws(AttentionError) -> Planned in
            let made = try watched(control) { (_) throws(AttentionError) in try plan(problem, mask, policy) }
            return Planned(plan: made, device: description, isOwn: true)
        } prepare: {
        } next: { (standby) throws(AttentionError) -> Planned in
            let backend = try open(standby, control)
            let plan = try watched(backend.device, control) { (_) throws(AttentionError) in
                try standby.plan(problem, mask, backend, policy)
            }
            return Planned(plan: plan, device: backend.device, isOwn: false)
        }
        planned.fallbacks = walk.fallbacks
        return planned
    }
}
