extension Device {
    /// New memory on this device that holds `tensor`, in row-major order. Cost: one copy.
    ///
    /// - Throws: `AttentionError.outOfMemory` or `AttentionError.deviceFailed`.
    public func tensor(_ tensor: Tensor) throws(AttentionError) -> Tensor {
        if tensor.isPlaceholder { throw PlaceholderStorage.error("tensor") }
        let copy = try self.tensor(uninitialized: tensor.shape, tensor.elementType)
        try copy.writeBytes(of: tensor)
        return copy
    }

    /// New memory on this device that holds `values`, in row-major order and each rounded once.
    public func tensor<Value: BinaryFloatingPoint>(
        _ values: [Value], shape: [Int], elementType: ElementType = .float32
    ) throws(AttentionError) -> Tensor {
        try tensor(Tensor(values, shape: shape, elementType: elementType))
    }

    /// New memory on this device, for results. The elements are undefined.
    public func tensor(
        uninitialized shape: [Int], _ elementType: ElementType = .float32
    ) throws(AttentionError) -> Tensor {
        let layout = try TensorLayout(contiguous: shape)
        let bytes = try Tensor.byteCount(layout.count, elementType, "tensor")
        return try Tensor(storage: try backend.makeStorage(byteCount: bytes), layout: layout, elementType: elementType)
    }

    /// True if `tensor` lies in this device's memory, and not in the host's.
    func holds(_ tensor: Tensor) -> Bool {
        tensor.storage.hostBytes == nil && tensor.storage.place == description.name
    }
}

extension Tensor {
    /// This tensor in the memory of `device`; itself if it is there already. `onHost()` is the way back.
    ///
    /// The reference and groups of devices compute from host memory: a tensor that is there stays where it is.
    public func moved(to device: Device) throws(AttentionError) -> Tensor {
        if isPlaceholder { throw PlaceholderStorage.error("tensor") }
        if device.holds(self) { return self }
        let staysOnHost = [.reference, .group].contains(device.description.kind)
        return staysOnHost ? try onHost() : try device.tensor(self)
    }
}
