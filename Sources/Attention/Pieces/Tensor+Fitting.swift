extension Tensor {
    private var extentBytes: Int { layout.extent.count * elementType.byteCount }

    /// True if a device that makes no more than `bytes` at once can take this tensor as it is: it may use host memory in place, and
    /// then all of the storage.
    func fits(_ bytes: Int) -> Bool {
        extentBytes <= bytes && (storage.hostBytes == nil || storage.byteCount <= bytes)
    }

    /// The same elements for such a device: in place if they lie close enough together, else in new memory without gaps.
    func fitted(_ bytes: Int) throws(AttentionError) -> Tensor {
        if fits(bytes) { return self }
        if storage.hostBytes != nil, extentBytes <= bytes { return try window() }
        let copy = try Tensor(uninitialized: TensorLayout(contiguous: shape), elementType)
        try copy.writeBytes(of: self)
        return copy
    }

    /// This tensor in a storage that is no more than its own bytes.
    private func window() throws(AttentionError) -> Tensor {
        let first = layout.extent.lowerBound
        let range = first * elementType.byteCount..<layout.extent.upperBound * elementType.byteCount
        guard let bytes = storage.hostBytes, !range.isEmpty else { return self }
        let part = try HostStorage(wrapping: UnsafeMutableRawBufferPointer(rebasing: bytes[range]), owner: storage)
        let moved = try TensorLayout(shape: shape, strides: strides, offset: layout.offset - first)
        return try Tensor(storage: part, layout: moved, elementType: elementType)
    }
}

extension AttentionInputs {
    private var all: [Tensor?] { [query, key, value, mask.tensor, pastKey, pastValue] }

    func fits(_ bytes: Int) -> Bool { all.allSatisfy { $0?.fits(bytes) ?? true } }

    /// The pools that keys and values have blocks in fit.
    func poolsFit(_ bytes: Int) -> Bool { blockTable == nil || (key.fits(bytes) && value.fits(bytes)) }

    /// The operands of a part, with each within `bytes`.
    func fitted(_ bytes: Int) throws(AttentionError) -> AttentionInputs {
        var inputs = self
        inputs.query = try query.fitted(bytes)
        inputs.key = try key.fitted(bytes)
        inputs.value = try value.fitted(bytes)
        inputs.mask.tensor = try mask.tensor?.fitted(bytes)
        return inputs
    }
}

extension AttentionOutputs {
    func fits(_ bytes: Int) -> Bool {
        [output, logSumExp, scores, presentKey, presentValue].allSatisfy { $0?.fits(bytes) ?? true }
    }
}
