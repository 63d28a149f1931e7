extension Tensor {
    /// The same elements with the axes in another order: axis `i` of the result is axis `axes[i]` of this tensor.
    public func permuted(_ axes: [Int]) throws(AttentionError) -> Tensor {
        guard axes.sorted() == Array(0..<rank) else {
            throw .invalid("axes", .value, expected: "each of 0..<\(rank) once", found: "\(axes)")
        }
        let layout = try TensorLayout(
            shape: axes.map { shape[$0] }, strides: axes.map { strides[$0] }, offset: layout.offset)
        return try Tensor(storage: storage, layout: layout, elementType: elementType)
    }

    /// The elements whose index on `axis` lies in `range`.
    public func sliced(axis: Int, _ range: Range<Int>) throws(AttentionError) -> Tensor {
        guard shape.indices.contains(axis) else {
            throw .invalid("axis", .value, expected: "one of 0..<\(rank)", found: "\(axis)")
        }
        guard range.lowerBound >= 0, range.upperBound <= shape[axis] else {
            throw .invalid("range", .bounds, expected: "a part of 0..<\(shape[axis])", found: "\(range)")
        }
        var sliced = shape
        sliced[axis] = range.count
        // Steps may pass 64 bits where there is no element to step to.
        let isEmpty = range.isEmpty || count == 0
        let start = isEmpty ? layout.offset : layout.offset + range.lowerBound * strides[axis]
        let layout = try TensorLayout(shape: sliced, strides: strides, offset: start)
        return try Tensor(storage: storage, layout: layout, elementType: elementType)
    }

    /// A tensor of rank 3, `[batch, row, heads · column]`, as `[batch, heads, row, column]`; one of rank 4 as it is.
    public func splitIntoHeads(_ heads: Int) throws(AttentionError) -> Tensor {
        guard rank == 3 else { return self }
        guard heads > 0, shape[2].isMultiple(of: heads) else {
            throw .invalid("heads", .value, expected: "a divisor of \(shape[2])", found: "\(heads)")
        }
        let columns = shape[2] / heads
        return try viewed(
            shape: [shape[0], heads, shape[1], columns],
            strides: [
                strides[0], columns.multipliedReportingOverflow(by: strides[2]).partialValue, strides[1], strides[2],
            ], offset: layout.offset)
    }

    /// The same storage seen with another shape and strides.
    public func viewed(shape: [Int], strides: [Int], offset: Int = 0) throws(AttentionError) -> Tensor {
        let layout = try TensorLayout(shape: shape, strides: strides, offset: offset)
        return try Tensor(storage: storage, layout: layout, elementType: elementType)
    }

    /// This tensor in host memory: itself if it is there already.
    public func onHost() throws(AttentionError) -> Tensor {
        if storage.hostBytes != nil { return self }
        let size = elementType.byteCount
        let first = layout.extent.lowerBound
        let host = try HostStorage(byteCount: layout.extent.count * size)
        if let bytes = host.hostBytes, !bytes.isEmpty { try storage.download(from: first * size, into: bytes) }
        withExtendedLifetime(host) {}
        let moved = try TensorLayout(shape: shape, strides: strides, offset: count == 0 ? 0 : layout.offset - first)
        return try Tensor(storage: host, layout: moved, elementType: elementType)
    }

    /// Lends the bytes of the storage to `body`; `nil` if the host cannot reach them. A pointer that leaves `body` may outlive its
    /// memory.
    public func withHostBytes<Result, Failure: Error>(
        _ body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result? {
        guard let bytes = storage.hostBytes else { return nil }
        defer { withExtendedLifetime(storage) {} }
        return try body(bytes)
    }

    /// The elements as `Double`, in row-major order, wherever they are. Cost: one pass, and a download for a device's memory.
    public func doubles() throws(AttentionError) -> [Double] {
        let host = try onHost()
        return host.withHostBytes { bytes in
            guard count > 0, let base = bytes.baseAddress else { return [] }
            var values: [Double] = []
            values.reserveCapacity(count)
            host.layout.forEachIndex { values.append(elementType.load(base, $0)) }
            return values
        } ?? []
    }

    /// The elements as `Float`, in row-major order. Elements of `float64` are rounded.
    public func floats() throws(AttentionError) -> [Float] {
        guard elementType == .float32, layout.isContiguous, count > 0 else { return try doubles().map { Float($0) } }
        let host = try onHost()
        let start = host.layout.offset
        // Copied as bytes: memory that a caller wrapped need not be aligned.
        return host.withHostBytes { bytes in
            [Float](unsafeUninitializedCapacity: count) { buffer, filled in
                UnsafeMutableRawBufferPointer(buffer).copyMemory(
                    from: UnsafeRawBufferPointer(rebasing: bytes[start * 4..<(start + count) * 4]))
                filled = count
            }
        } ?? []
    }

    /// The bytes of the elements in row-major order without gaps, as a file holds them.
    public func contiguousBytes() throws(AttentionError) -> [UInt8] {
        let host = try onHost()
        let size = elementType.byteCount
        return host.withHostBytes { bytes in
            guard count > 0 else { return [] }
            if host.layout.isContiguous {
                let start = host.layout.offset * size
                return Array(bytes[start..<start + count * size])
            }
            var result: [UInt8] = []
            result.reserveCapacity(count * size)
            host.layout.forEachIndex { result.append(contentsOf: bytes[$0 * size..<$0 * size + size]) }
            return result
        } ?? []
    }
}

extension TensorLayout {
    /// Calls `body` with the storage index of each element, in row-major order.
    public func forEachIndex(_ body: (Int) -> Void) {
        guard count > 0 else { return }
        var place = [Int](repeating: 0, count: rank)
        var index = offset
        for _ in 0..<count {
            body(index)
            var axis = rank - 1
            while axis >= 0 {
                place[axis] += 1
                index += strides[axis]
                if place[axis] < shape[axis] { break }
                index -= place[axis] * strides[axis]
                place[axis] = 0
                axis -= 1
            }
        }
    }
}
