import Attention

extension LayerFile {
    func transformer(_ device: Device, _ pass: ForwardPass) throws -> [String: Tensor] {
        let tensors = LayerFileTensors(file: file)
        try tensors.checkNames(
            inputs: [
                "src", "tgt", "src_mask", "tgt_mask", "memory_mask", "src_key_padding_mask", "tgt_key_padding_mask",
                "memory_key_padding_mask",
            ], outputs: outputs, hasWeights: true)
        let layer = LayerConfiguration(
            modelDimension: try size("d_model", default: 512), heads: try size("nhead", default: 8),
            hiddenDimension: try size("dim_feedforward", default: 2048),
            activation: try config.optional("activation")?.choice(Activation.names) ?? .relu,
            isNormFirst: try config.bool("norm_first", default: false),
            epsilon: try config.epsilon("layer_norm_eps", default: 1e-5),
            hasBias: try config.bool("bias", default: true))
        try layer.check()
        let counts = (
            try config.integer("num_encoder_layers", in: 0...10_000, default: 6),
            try config.integer("num_decoder_layers", in: 0...10_000, default: 6)
        )
        let parameters = try tensors.parameters(
            Encoder.shapes(layer, count: counts.0, hasFinalNorm: true).within("encoder")
                + Decoder.shapes(layer, count: counts.1, hasFinalNorm: true).within("decoder"))
        let encoder = try Encoder(
            parameters["encoder"], layer, count: counts.0, hasFinalNorm: true, device: device)
        let decoder = try Decoder(
            parameters["decoder"], layer, count: counts.1, hasFinalNorm: true, device: device)

        let source = try tensors.tensor("src", ranks: 2...3)
        let target = try tensors.tensor("tgt", rank: source.rank)
        let order = BatchOrder(
            isBatchFirst: try config.bool("batch_first", default: false), isBatched: source.rank == 3)
        func padding(_ name: String) throws -> Tensor? {
            try order.padding(try tensors.mask("\(name)_key_padding_mask", ranks: 1...2))
        }
        let sourcePadding = try padding("src")
        let sourceMask = MultiHeadMask(
            keyPadding: sourcePadding, attention: try tensors.mask("src_mask", ranks: 2...3))
        let targetMask = MultiHeadMask(
            keyPadding: try padding("tgt"), attention: try tensors.mask("tgt_mask", ranks: 2...3), isCausal: true)
        let memoryMask = MultiHeadMask(
            keyPadding: try padding("memory") ?? sourcePadding,
            attention: try tensors.mask("memory_mask", ranks: 2...3))

        let memory = try encoder(try order.rows(source, device), mask: sourceMask, pass: pass)
        if let sourcePadding { try clear(memory, sourcePadding, pass) }
        let output = try decoder(
            try order.rows(target, device), memory: memory, targetMask: targetMask, memoryMask: memoryMask, pass: pass)
        return ["memory": try order.restored(memory), "output": try order.restored(output)]
    }

    /// Writes zeros to rows that are padding, as PyTorch gives them back from its nested tensors.
    private func clear(_ rows: Tensor, _ padding: Tensor, _ pass: ForwardPass) throws(AttentionError) {
        let length = rows.shape[1]
        let isMasked: (Double) -> Bool = padding.elementType == .bool ? { $0 != 0 } : { $0 == -.infinity }
        let values = try padding.doubles()
        for (index, value) in values.enumerated() where isMasked(value) {
            let (entry, row) = (index / length, index % length)
            let target = try rows.sliced(axis: 0, entry..<entry + 1).sliced(axis: 1, row..<row + 1)
            try pass.perform(.copy(CopyOperation(source: nil, target: target)))
        }
    }
}
