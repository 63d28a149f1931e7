/// A call made ready: the kernel is chosen and built, and any number of calls of this kind run without choosing again.
///
/// ```swift
/// let plan = try device.attentionPlan(shape, mask: .causal)
/// print(plan.explain())
/// let step = try plan.forward(query: q, key: k, value: v)      // on the device, if the query is
/// ```
///
/// Fixed by the plan: the shape, types, the mask's kind, shape and type, scale, softcap, slopes and sinks, and what is returned.
/// Free in each call: the elements, strides, key lengths, and the lengths of packed sequences. One plan may be used from many
/// tasks at once.
public struct AttentionPlan: Sendable {
    public let device: Device
    public let shape: AttentionShape
    public let elementType: ElementType
    public let policy: PlanPolicy
    /// What was chosen and refused, and why, on this device or, where it failed, on the one that computes for it.
    public let explanation: PlanExplanation
    /// Who failed or rested when the plan was made. The device is tried again by the calls once its rest is over.
    public let fallbacks: [Fallback]
    /// The device that ``explanation`` is about; ``device``'s own unless that is in ``fallbacks``.
    public let planned: DeviceDescription

    let options: AttentionOptions
    let template: AttentionInputs
    let signature: PlanSignature
    /// `nil` if the planned shape has no row, and where the device failed at it: calls make it then, or go elsewhere.
    let prepared: (any BackendPlan)?

    /// Computes one call. The output lives where the query lives: what is on the device stays there between calls.
    ///
    /// Past keys and packed sequences go through `attend`.
    ///
    /// - Parameters:
    ///   - query: Of the planned shape, or of rank 3 if that was planned; any strides.
    ///   - key: As `query`.
    ///   - value: As `query`.
    ///   - mask: The mask tensor, of the planned type and shape. `nil` takes the one the plan was made with.
    ///   - keyLengths: How many keys of each batch entry are real; `nil` is all, or the lengths the plan was made with.
    /// - Throws: `AttentionError.invalid` if a shape or type is not the planned one; otherwise as
    ///   `Device.attend`.
    public func forward(
        query: Tensor, key: Tensor, value: Tensor, mask: Tensor? = nil, keyLengths: [Int]? = nil
    ) throws(AttentionError) -> Tensor {
        try attend(inputs(query, key, value, mask, keyLengths)).output
    }

    /// `forward` away from the caller's task; cancellable.
    public func forward(
        query: Tensor, key: Tensor, value: Tensor, mask: Tensor? = nil, keyLengths: [Int]? = nil
    ) async throws(AttentionError) -> Tensor {
        try await attend(inputs(query, key, value, mask, keyLengths)).output
    }

    private func inputs(
        _ query: Tensor, _ key: Tensor, _ value: Tensor, _ mask: Tensor?, _ keyLengths: [Int]?
    ) -> AttentionInputs {
        var inputs = template
        inputs.query = query
        inputs.key = key
        inputs.value = value
        inputs.mask.tensor = mask ?? template.mask.tensor
        inputs.keyLengths = keyLengths ?? template.keyLengths
        return inputs
    }

    /// Computes one call with everything it returns. New results live where the query lives.
    ///
    /// - Parameters:
    ///   - inputs: As planned but for elements, strides and lengths.
    ///   - output: A tensor to write the output to; `nil` makes a new one.
    ///   - fallback: Who finishes the call if the device cannot.
    ///   - control: Cancels the call from elsewhere, and asks for the time on the device.
    /// - Throws: As `forward`.
    public func attend(
        _ inputs: AttentionInputs, into output: Tensor? = nil, fallback: FallbackPolicy = .automatic,
        control: RunControl = .init()
    ) throws(AttentionError) -> AttentionResult {
        let problem = try AttentionProblem(inputs, options)
        try signature.check(PlanSignature(problem, inputs.mask))
        let onDevice = device.holds(inputs.query)
        return try AttentionCall(
            device: device, inputs: inputs, options: options, problem: problem,
            target: output.map { .output($0, onDevice: onDevice) } ?? .new(onDevice: onDevice), policy: policy,
            fallback: fallback, control: control, prepared: prepared
        ).perform()
    }

    /// The call above, away from the caller's task; cancellable.
    public func attend(
        _ inputs: AttentionInputs, into output: Tensor? = nil, fallback: FallbackPolicy = .automatic,
        control: RunControl = .init()
    ) async throws(AttentionError) -> AttentionResult {
        try await offTheTaskPool(control) { () throws(AttentionError) in
            try self.attend(inputs, into: output, fallback: fallback, control: control)
        }
    }
}
