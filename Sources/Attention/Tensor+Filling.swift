#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

extension Tensor {
    /// Copies the elements of `other`, which has this shape, these strides and this type, to where this tensor is, and nothing to
    /// the bytes between them.
    func fill(from other: Tensor) throws(AttentionError) {
        guard count > 0 else { return }
        let source = try other.onHost()
        if layout.extent.count == count {
            try source.lendExtent { (bytes) throws(AttentionError) in
                try storage.upload(bytes, at: layout.extent.lowerBound * elementType.byteCount)
            }
        } else {
            // What stands between the elements comes to the host with them, if it is not there, and goes back as it was.
            let target = try onHost()
            target.copyRows(from: source)
            guard target.storage !== storage else { return }
            try target.lendExtent { (bytes) throws(AttentionError) in
                try storage.upload(bytes, at: layout.extent.lowerBound * elementType.byteCount)
            }
        }
    }

    /// The bytes from the first element to the last, on the host.
    private func lendExtent(
        _ body: (UnsafeRawBufferPointer) throws(AttentionError) -> Void
    ) throws(AttentionError) {
        let size = elementType.byteCount
        try withHostBytes { (bytes) throws(AttentionError) in
            let range = layout.extent.lowerBound * size..<layout.extent.upperBound * size
            try body(UnsafeRawBufferPointer(rebasing: bytes[range]))
        }
    }

    /// Copies elements between two tensors on the host that differ in their offset alone: whole rows where they have no gaps.
    private func copyRows(from other: Tensor) {
        let size = elementType.byteCount
        let hasRows = strides.last == 1
        let rowBytes = (hasRows ? shape.last ?? 1 : 1) * size
        let shift = (other.layout.offset - layout.offset) * size
        let outer = hasRows ? (Array(shape.dropLast()), Array(strides.dropLast())) : (shape, strides)
        guard let rows = try? TensorLayout(shape: outer.0, strides: outer.1, offset: layout.offset) else { return }
        withHostBytes { target in
            other.withHostBytes { source in
                guard let to = target.baseAddress, let from = source.baseAddress else { return }
                rows.forEachIndex { memcpy(to + $0 * size, from + ($0 * size + shift), rowBytes) }
            }
        }
    }
}
