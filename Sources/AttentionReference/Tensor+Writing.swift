import AttentionCore

extension Tensor {
    /// Stores `values`, in row-major order, each rounded once to the tensor's type. Bytes between strided elements stay as they are.
    func write(_ values: [Double]) throws(AttentionError) {
        try withHostCopy { base, layout in
            var next = 0
            layout.forEachIndex { index in
                elementType.store(values[next], base, index)
                next += 1
            }
        }
    }

    /// Stores `bytes`, those of the elements in row-major order.
    func write(bytes: [UInt8]) throws(AttentionError) {
        let size = elementType.byteCount
        try withHostCopy { base, layout in
            var next = 0
            layout.forEachIndex { index in
                for byte in 0..<size {
                    base.storeBytes(of: bytes[next + byte], toByteOffset: index * size + byte, as: UInt8.self)
                }
                next += size
            }
        }
    }

    /// Lets `body` write the elements in host memory: in place if they are there, else in a copy that is sent back.
    private func withHostCopy(
        _ body: (UnsafeMutableRawPointer, TensorLayout) -> Void
    ) throws(AttentionError) {
        guard count > 0 else { return }
        if let base = storage.hostBytes?.baseAddress {
            body(base, layout)
            return
        }
        let host = try onHost()
        guard let bytes = host.storage.hostBytes, let base = bytes.baseAddress else { return }
        body(base, host.layout)
        // The gaps between the elements were downloaded with them, so they go back unchanged.
        try storage.upload(
            UnsafeRawBufferPointer(bytes), at: layout.extent.lowerBound * elementType.byteCount)
        withExtendedLifetime(host) {}
    }
}
