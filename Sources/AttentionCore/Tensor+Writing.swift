extension Tensor {
    /// Writes `values`, in row-major order and each rounded once, to the elements of this tensor and to nothing between them.
    public func write(_ values: [Double]) throws(AttentionError) {
        guard values.count == count else {
            throw .invalid("values", .count, expected: "\(count) for shape \(shape)", found: "\(values.count)")
        }
        var bytes = [UInt8](repeating: 0, count: count * elementType.byteCount)
        bytes.withUnsafeMutableBytes { raw in
            guard let base = raw.baseAddress else { return }
            for (index, value) in values.enumerated() { elementType.store(value, base, index) }
        }
        try writeBytes(bytes)
    }

    /// Writes the elements of `other`, which has this shape and type, bit for bit.
    public func writeBytes(of other: Tensor) throws(AttentionError) {
        guard other.shape == shape, other.elementType == elementType else {
            throw .invalid(
                "tensor", .shape, expected: "shape \(shape) of \(elementType)",
                found: "\(other.shape) of \(other.elementType)")
        }
        try writeBytes(try other.contiguousBytes())
    }

    /// Writes elements from bytes in row-major order without gaps.
    func writeBytes(_ bytes: [UInt8]) throws(AttentionError) {
        let size = elementType.byteCount
        guard count > 0 else { return }
        let isGapless = layout.isContiguous
        var indices: [Int] = isGapless ? [layout.offset] : []
        if !isGapless { layout.forEachIndex { indices.append($0) } }
        let step = isGapless ? bytes.count : size
        var failure: AttentionError?
        bytes.withUnsafeBytes { raw in
            for (place, index) in indices.enumerated() where failure == nil {
                let part = UnsafeRawBufferPointer(rebasing: raw[place * step..<(place + 1) * step])
                do throws(AttentionError) { try storage.upload(part, at: index * size) } catch { failure = error }
            }
        }
        if let failure { throw failure }
    }
}
