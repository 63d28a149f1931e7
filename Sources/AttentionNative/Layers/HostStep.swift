import AttentionCore

/// A step with all of its operands in host memory, copies of those that are not, and where the results belong.
struct HostStep {
    let operation: LayerOperation
    private let outputs: [(target: Tensor, host: Tensor)]

    init(_ operation: LayerOperation) throws(AttentionError) {
        var outputs: [(target: Tensor, host: Tensor)] = []
        self.operation = try operation.mapped { (tensor) throws(AttentionError) in
            try tensor.onHost()
        } output: { (tensor) throws(AttentionError) in
            // With what stands between its elements, which goes back with them.
            let host = try tensor.onHost()
            if tensor.storage.hostBytes == nil { outputs.append((tensor, host)) }
            return host
        }
        self.outputs = outputs
    }

    /// Brings what was written to where the caller has it.
    func finish() throws(AttentionError) {
        for (tensor, host) in outputs where tensor.count > 0 {
            guard let bytes = host.storage.hostBytes else { continue }
            let size = tensor.elementType.byteCount
            let from = host.layout.extent.lowerBound * size
            let filled = UnsafeRawBufferPointer(rebasing: bytes[from..<host.layout.extent.upperBound * size])
            try tensor.storage.upload(filled, at: tensor.layout.extent.lowerBound * size)
        }
    }
}
