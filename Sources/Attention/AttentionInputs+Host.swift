extension AttentionInputs {
    private var named: [(String, Tensor)] {
        [("query", query), ("key", key), ("value", value)]
            + [("mask", mask.tensor), ("pastKey", pastKey), ("pastValue", pastValue)]
            .compactMap { name, tensor in tensor.map { (name, $0) } }
    }

    func refusePlaceholders() throws(AttentionError) {
        for (name, tensor) in named { try AttentionCall.refusePlaceholder(name, tensor) }
    }

    /// True if no tensor lies in a device's memory.
    var isOnHost: Bool { named.allSatisfy { $0.1.storage.hostBytes != nil } }

    /// The same operands with all tensors in host memory.
    func onHost() throws(AttentionError) -> AttentionInputs {
        var inputs = self
        inputs.query = try query.onHost()
        inputs.key = try key.onHost()
        inputs.value = try value.onHost()
        inputs.mask.tensor = try mask.tensor?.onHost()
        inputs.pastKey = try pastKey?.onHost()
        inputs.pastValue = try pastValue?.onHost()
        return inputs
    }
}

extension AttentionOutputs {
    /// Writes past and new keys and values one after the other, bit for bit.
    func joinPresent(_ inputs: AttentionInputs) throws(AttentionError) {
        for (present, past, new) in [
            (presentKey, inputs.pastKey, inputs.key), (presentValue, inputs.pastValue, inputs.value),
        ] {
            guard let present, let past else { continue }
            let pastLength = past.shape[2]
            try present.sliced(axis: 2, 0..<pastLength).writeBytes(of: past)
            try present.sliced(axis: 2, pastLength..<present.shape[2])
                .writeBytes(of: try new.splitIntoHeads(present.shape[1]))
        }
    }
}
