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
        if copyRuns(of: other) { return }
        try writeBytes(try other.contiguousBytes())
    }

    /// Writes the bytes of `host`, which has this shape and these strides in host memory, from its first element to its last.
    package func uploadExtent(of host: Tensor) throws(AttentionError) {
        guard count > 0 else { return }
        let size = elementType.byteCount
        let range = host.layout.extent.lowerBound * size..<host.layout.extent.upperBound * size
        try host.withHostBytes { (bytes) throws(AttentionError) in
            try storage.upload(
                UnsafeRawBufferPointer(rebasing: bytes[range]), at: layout.extent.lowerBound * size)
        }
    }

    /// Copies elements that lie next to each other on both sides together; false if one side is not in host memory.
    private func copyRuns(of other: Tensor) -> Bool {
        guard let to = storage.hostBytes, let from = other.storage.hostBytes else { return false }
        guard count > 0, let toBase = to.baseAddress, let fromBase = from.baseAddress else { return true }
        let isRun = rank > 0 && strides[rank - 1] == 1 && other.strides[rank - 1] == 1
        let run = isRun ? shape[rank - 1] : 1
        let size = elementType.byteCount
        let outer = isRun ? Array(shape.dropLast()) : shape
        var place = [Int](repeating: 0, count: outer.count)
        var (mine, theirs) = (layout.offset, other.layout.offset)
        while true {
            (toBase + mine * size).copyMemory(from: fromBase + theirs * size, byteCount: run * size)
            var axis = outer.count - 1
            while axis >= 0 {
                place[axis] += 1
                mine += strides[axis]
                theirs += other.strides[axis]
                if place[axis] < outer[axis] { break }
                mine -= place[axis] * strides[axis]
                theirs -= place[axis] * other.strides[axis]
                place[axis] = 0
                axis -= 1
            }
            if axis < 0 { break }
        }
        withExtendedLifetime((storage, other.storage)) {}
        return true
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
