public import AttentionCore

/// Keys and values of earlier tokens that calls and plans read in place: ``KeyValueCache``, ``PagedKeyValueCache``, or yours.
public protocol AttentionCache: Sendable {
    /// Who reads it.
    var device: Device { get }
    /// A call with all keys and values, their lengths, and where they lie.
    func inputs(for query: Tensor, mask: AttentionMask) -> AttentionInputs
}

extension Device {
    /// Attends the keys and values of a cache, in place.
    ///
    /// The last query of each sequence stands at its last key, so that a causal mask is that of decoding: query i sees the keys up
    /// to `lengths[b] − queryLength + i`. Append a step's own keys before its queries attend.
    ///
    /// - Parameters:
    ///   - query: `[sequences, queryHeads, queryLength, headDimension]`, `queryHeads` a multiple of the cache's heads.
    ///   - cache: Keys and values of this device's.
    ///   - mask: Causal mask, windows or a mask tensor over the cache's *capacity*; `.none` attends all keys.
    ///   - options: Scale, softcap, and what to return besides the output.
    ///   - policy: A kernel by name, and how much scratch memory may be taken.
    ///   - fallback: What to do if this device fails.
    ///   - control: Lets another task cancel, and asks for times.
    /// - Throws: As the call with `AttentionInputs`.
    ///
    /// Cost: one read of the keys and values; nothing is copied.
    public func attend(
        query: Tensor, cache: some AttentionCache, mask: AttentionMask = .none, options: AttentionOptions = .init(),
        policy: PlanPolicy = .init(), fallback: FallbackPolicy = .automatic, control: RunControl = .init()
    ) throws(AttentionError) -> AttentionResult {
        try attend(cache.inputs(for: query, mask: mask), options, policy: policy, fallback: fallback, control: control)
    }

    /// The form above, off the threads that tasks share; cancellable.
    public func attend(
        query: Tensor, cache: some AttentionCache, mask: AttentionMask = .none, options: AttentionOptions = .init(),
        policy: PlanPolicy = .init(), fallback: FallbackPolicy = .automatic, control: RunControl = .init()
    ) async throws(AttentionError) -> AttentionResult {
        try await attend(
            cache.inputs(for: query, mask: mask), options, policy: policy, fallback: fallback, control: control)
    }
}

extension AttentionPlan {
    /// Attends the keys and values of a cache, in place. The plan is one for the cache's capacity: a cache that grew takes a new one.
    ///
    /// - Throws: `AttentionError.invalid` if the query or the capacity is not the planned one; otherwise as `forward`.
    public func forward(query: Tensor, cache: some AttentionCache) throws(AttentionError) -> Tensor {
        let contents = cache.inputs(for: query, mask: template.mask)
        var inputs = template
        inputs.query = query
        inputs.key = contents.key
        inputs.value = contents.value
        inputs.keyLengths = contents.keyLengths
        inputs.blockTable = contents.blockTable
        return try attend(inputs).output
    }
}
