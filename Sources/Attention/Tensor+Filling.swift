extension Tensor {
    /// Copies the elements of `other`, which has this shape, these strides and this type, to where this tensor is, and nothing to
    /// the bytes between them.
    func fill(from other: Tensor) throws(AttentionError) {
        guard count > 0 else { return }
        let source = try other.onHost()
        if storage.hostBytes != nil { return try writeBytes(of: source) }
        if layout.extent.count == count { return try uploadExtent(of: source) }
        // What stands between the elements comes to the host with them, and goes back as it was.
        let target = try onHost()
        try target.writeBytes(of: source)
        try uploadExtent(of: target)
    }
}
