public import AttentionCore

extension Device {
    /// Attends the keys and values of a cache, in place.
    ///
    /// The last query of each sequence stands at its last key, so that a causal mask is that of decoding: query i sees the keys up
    /// to `lengths[b] − queryLength + i`. Append a step's own keys before its queries attend.
    ///
    /// - Parameters:
    ///   - query: `[sequences, queryHeads, queryLength, headDimension]`, `queryHeads` a multiple of the cache's heads.
    ///   - mask: Causal mask, windows or a mask tensor over the cache's *capacity*; `.none` attends all keys.
    ///   - options: Scale, softcap, and what to return besides the output.
    ///   - policy: A kernel by name, and how much scratch memory may be taken.
    /// - Throws: As the call with `AttentionInputs`.
    ///
    /// Cost: one read of the keys and values; nothing is copied.
    public func attend(
        query: Tensor, cache: KeyValueCache, mask: AttentionMask = .none, options: AttentionOptions = .init(),
        policy: PlanPolicy = .init(), fallback: FallbackPolicy = .automatic, control: RunControl = .init()
    ) throws(AttentionError) -> AttentionResult {
        try attend(cache.inputs(query, mask), options, policy: policy, fallback: fallback, control: control)
    }

    /// The form above, off the threads that tasks share; cancellable.
    public func attend(
        query: Tensor, cache: KeyValueCache, mask: AttentionMask = .none, options: AttentionOptions = .init(),
        policy: PlanPolicy = .init(), fallback: FallbackPolicy = .automatic, control: RunControl = .init()
    ) async throws(AttentionError) -> AttentionResult {
        try await attend(cache.inputs(query, mask), options, policy: policy, fallback: fallback, control: control)
    }
}

extension AttentionPlan {
    /// Attends the keys and values of a cache, in place. The plan is one for the cache's capacity: a cache that grew takes a new one.
    ///
    /// - Throws: `AttentionError.invalid` if the query or the capacity is not the planned one; otherwise as `forward`.
    public func forward(query: Tensor, cache: KeyValueCache) throws(AttentionError) -> Tensor {
        let contents = cache.contents()
        return try forward(query: query, key: contents.key, value: contents.value, keyLengths: contents.lengths)
    }
}

extension KeyValueCache {
    func inputs(_ query: Tensor, _ mask: AttentionMask) -> AttentionInputs {
        let contents = self.contents()
        var inputs = AttentionInputs(query: query, key: contents.key, value: contents.value, mask: mask)
        inputs.keyLengths = contents.lengths
        return inputs
    }
}
