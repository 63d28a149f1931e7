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
    /// - Throws: `AttentionError`: `invalid`, `unsupported` if this device cannot, `deviceFailed` if it fails at it. A plan never
    ///   falls back: nothing has been started yet.
    ///
    /// Cost: the kernel's build, 0.2 to 1 s unless it is cached.
    public func attentionPlan(
        _ shape: AttentionShape, mask: AttentionMask = .none, elementType: ElementType = .float32,
        valueType: ElementType? = nil, options: AttentionOptions = .init(), policy: PlanPolicy = .init()
    ) throws(AttentionError) -> AttentionPlan {
        try attentionPlan(
            for: AttentionInputs(
                query: .placeholder(shape.queryShape, elementType), key: .placeholder(shape.keyShape, elementType),
                value: .placeholder(shape.valueShape, valueType ?? elementType), mask: mask),
            options, policy: policy)
    }

    /// Makes calls like one with `inputs` ready: with past keys, packed sequences, lengths, slopes, sinks, or of rank 3.
    ///
    /// No element is read: tensors may be placeholders. The plan keeps the mask tensor and no other.
    ///
    /// - Throws: As ``attentionPlan(_:mask:elementType:valueType:options:policy:)``.
    public func attentionPlan(
        for inputs: AttentionInputs, _ options: AttentionOptions = .init(), policy: PlanPolicy = .init()
    ) throws(AttentionError) -> AttentionPlan {
        let problem = try AttentionProblem(inputs, options)
        let prepared =
            problem.isEmpty
            ? nil
            : try plans.plan(problem, inputs.mask, policy) { () throws(AttentionError) in
                try backend.plan(problem, policy)
            }
        var template = inputs
        template.query = try .placeholder(inputs.query.layout, inputs.query.elementType)
        template.key = try .placeholder(inputs.key.layout, inputs.key.elementType)
        template.value = try .placeholder(inputs.value.layout, inputs.value.elementType)
        template.pastKey = nil
        template.pastValue = nil
        return AttentionPlan(
            device: self, shape: problem.shape, elementType: problem.queryType, policy: policy,
            explanation: prepared?.explanation
                ?? PlanExplanation(kernel: "none", choices: ["there is no row to compute"]),
            options: options, template: template, signature: PlanSignature(problem, inputs.mask), prepared: prepared)
    }
}
