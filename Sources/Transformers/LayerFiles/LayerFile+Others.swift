import Attention

extension LayerFile {
    private enum Form { case bahdanau, keras }

    func additive(_ device: Device, _ pass: ForwardPass) throws -> [String: Tensor] {
        let tensors = LayerFileTensors(file: file)
        let layer: AdditiveAttention
        let operands = ["query", "key", "value", "key_lengths"]
        switch try config.member("form").choice(["bahdanau": Form.bahdanau, "keras": .keras]) {
        case .bahdanau:
            try tensors.checkNames(
                inputs: operands + ["query_weight", "key_weight", "bias", "score_weight"], outputs: outputs,
                hasWeights: false)
            layer = try AdditiveAttention(
                queryWeight: try tensors.tensor("query_weight", rank: 2),
                keyWeight: try tensors.tensor("key_weight", rank: 2), bias: try tensors.optional("bias", ranks: 1...1),
                scoreWeight: try tensors.tensor("score_weight", rank: 1), device: device)
        case .keras:
            try tensors.checkNames(inputs: operands + ["scale"], outputs: outputs, hasWeights: false)
            layer = try AdditiveAttention(scale: try tensors.tensor("scale", rank: 1), device: device)
        }
        func rows(_ name: String) throws -> Tensor { try device.parameter(try tensors.tensor(name, rank: 3)) }
        let found = try layer.attending(
            try rows("query"), key: try rows("key"), value: try rows("value"),
            keyLengths: try tensors.integers("key_lengths"), pass: pass)
        return ["output": found.output, "probabilities": found.weights]
    }

    func memoryNetwork(_ device: Device, _ pass: ForwardPass) throws -> [String: Tensor] {
        let tensors = LayerFileTensors(file: file)
        try tensors.checkNames(
            inputs: ["query", "input_memory", "output_memory", "hop_weight", "memory_lengths"], outputs: outputs,
            hasWeights: false)
        let layer = try MemoryNetwork(hopWeight: try tensors.optional("hop_weight", ranks: 2...2), device: device)
        let inputMemory = try tensors.tensor("input_memory", rank: 4)
        if let hops = try config.optional("hops"), try hops.integer(in: 0...Self.largestSize) != inputMemory.shape[0] {
            throw hops.invalid("\(inputMemory.shape[0]), the hops of inputs.input_memory")
        }
        let found = try layer(
            try device.parameter(try tensors.tensor("query", rank: 2)),
            inputMemory: try device.parameter(inputMemory),
            outputMemory: try device.parameter(try tensors.tensor("output_memory", rank: 4)),
            memoryLengths: try tensors.integers("memory_lengths"), pass: pass)
        return ["output": found.output, "probabilities": found.probabilities]
    }
}
