/// A step with all of its operands in host memory, copies of those that are not, and where the results belong.
package struct HostStep: Sendable {
    package let operation: LayerOperation
    private let outputs: [(target: Tensor, host: Tensor)]

    package init(_ operation: LayerOperation) throws(AttentionError) {
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
    package func finish() throws(AttentionError) {
        for (target, host) in outputs { try target.uploadExtent(of: host) }
    }
}
