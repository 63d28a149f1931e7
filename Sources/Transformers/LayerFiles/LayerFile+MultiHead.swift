import Attention

extension LayerFile {
    func multiHead(_ device: Device, _ pass: ForwardPass) throws -> [String: Tensor] {
        let tensors = LayerFileTensors(file: file)
        try tensors.checkNames(
            inputs: ["query", "key", "value", "key_padding_mask", "attn_mask"], outputs: outputs, hasWeights: true)
        let width = try size("embed_dim")
        let heads = try size("num_heads")
        let configuration = MultiHeadAttention.Configuration(
            modelDimension: width, heads: heads, keyValueHeads: try size("num_key_value_heads", default: heads),
            keyDimension: try size("kdim", default: width), valueDimension: try size("vdim", default: width),
            hasBias: try config.bool("bias", default: true),
            addsLearnedKey: try config.bool("add_bias_kv", default: false),
            addsZeroKey: try config.bool("add_zero_attn", default: false))
        try configuration.check()
        let layer = try MultiHeadAttention(
            try tensors.parameters(configuration.shapes), configuration, device: device)

        let query = try tensors.tensor("query", ranks: 2...3)
        let key = try tensors.optional("key", ranks: query.rank...query.rank)
        let value = try tensors.optional("value", ranks: query.rank...query.rank)
        let order = BatchOrder(
            isBatchFirst: try config.bool("batch_first", default: false), isBatched: query.rank == 3)
        func rows(_ tensor: Tensor?) throws -> Tensor? { try tensor.map { try order.rows($0, device) } }
        let mask = MultiHeadMask(
            keyPadding: try order.padding(try tensors.mask("key_padding_mask", ranks: 1...2)),
            attention: try tensors.mask("attn_mask", ranks: 2...4),
            isCausal: try config.bool("is_causal", default: false))
        let isAveraged = try config.bool("average_attn_weights", default: false)
        let found = try layer.attending(
            try order.rows(query, device), key: try rows(key), value: try rows(value), mask: mask,
            weights: isAveraged ? .averaged : .perHead, pass: pass)
        let weights = order.isBatched ? found.weights : try found.weights.entry(0)
        return ["output": try order.restored(found.output), "weights": weights]
    }
}
