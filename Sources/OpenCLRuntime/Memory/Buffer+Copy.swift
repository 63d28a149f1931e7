import COpenCL

/// Where a box of bytes lies in a buffer: rows of a slice, slices of a box, as `clEnqueueCopyBufferRect` counts.
public struct BufferBox: Hashable, Sendable {
    /// Byte of a row, row, slice where the box begins.
    public var origin: (x: Int, y: Int, z: Int) {
        get { (x, y, z) }
        set { (x, y, z) = (newValue.x, newValue.y, newValue.z) }
    }
    private var x: Int
    private var y: Int
    private var z: Int
    /// Bytes from one row to the next.
    public var rowPitch: Int
    /// Bytes from one slice to the next; a multiple of `rowPitch`.
    public var slicePitch: Int

    public init(origin: (x: Int, y: Int, z: Int) = (0, 0, 0), rowPitch: Int, slicePitch: Int) {
        (x, y, z) = (origin.x, origin.y, origin.z)
        self.rowPitch = rowPitch
        self.slicePitch = slicePitch
    }
}

extension Buffer {
    /// Repeats `pattern` over a range of the buffer (`clEnqueueFillBuffer`), without waiting.
    ///
    /// - Parameters:
    ///   - pattern: A value of 1, 2, 4, … or 128 bytes.
    ///   - offset: Bytes, a multiple of the pattern's size.
    ///   - byteCount: Bytes, a multiple of the pattern's size; nil goes to the end.
    public func fill<Pattern: BitwiseCopyable>(
        with pattern: Pattern, at offset: Int = 0, byteCount: Int? = nil, on queue: Queue, waitFor events: [Event] = []
    ) throws(OpenCLError) {
        let count = byteCount ?? Bounds.rest(of: self.byteCount, from: offset)
        try check(queue, offset, count, "filling a buffer")
        let size = MemoryLayout<Pattern>.size
        guard size > 0, size <= 128, size & (size - 1) == 0, offset % size == 0, count % size == 0 else {
            throw .invalidArgument(
                operation: "filling a buffer",
                reason: "a pattern of \(size) bytes over \(count) bytes from \(offset)")
        }
        let function = library.table.enqueueFillBuffer
        let call = try library(function)
        var value = pattern
        let status = try queue.withWaitList(events) { waiting, list in
            withUnsafeBytes(of: &value) {
                call(queue.handle, handle, $0.baseAddress, size, offset, count, waiting, list, nil)
            }
        }
        try library.check(status, function, "\(count) bytes from \(offset) of \(self.byteCount)")
    }

    /// Copies bytes into `target`, which may be this buffer (`clEnqueueCopyBuffer`), without waiting.
    ///
    /// - Throws: ``OpenCLError/invalidArgument(operation:reason:)`` where the two ranges overlap.
    public func copy(
        from offset: Int = 0, byteCount: Int, to target: Buffer, at targetOffset: Int = 0, on queue: Queue,
        waitFor events: [Event] = []
    ) throws(OpenCLError) {
        try check(queue, offset, byteCount, "copying from a buffer")
        try target.check(queue, targetOffset, byteCount, "copying to a buffer")
        if root.handle == target.root.handle {
            let distance = (root.offset + offset) - (target.root.offset + targetOffset)
            guard abs(distance) >= byteCount else {
                throw .invalidArgument(operation: "copying within a buffer", reason: "source and target overlap")
            }
        }
        let function = library.table.enqueueCopyBuffer
        let call = try library(function)
        let status = try queue.withWaitList(events) { waiting, list in
            call(queue.handle, handle, target.handle, offset, targetOffset, byteCount, waiting, list, nil)
        }
        try library.check(status, function, "\(byteCount) bytes from \(offset) to \(targetOffset)")
    }

    /// Copies a box of bytes into another buffer (`clEnqueueCopyBufferRect`), without waiting.
    ///
    /// - Parameters:
    ///   - region: Bytes of a row, rows, slices.
    ///   - source: Where the box lies here.
    ///   - target: The other buffer; the same memory is refused.
    ///   - box: Where the box goes there.
    public func copyBox(
        _ region: (x: Int, y: Int, z: Int), from source: BufferBox, to target: Buffer, as box: BufferBox,
        on queue: Queue, waitFor events: [Event] = []
    ) throws(OpenCLError) {
        try checkBox(source, region, queue)
        try target.checkBox(box, region, queue)
        guard root.handle != target.root.handle else {
            throw .invalidArgument(operation: "copying a box", reason: "source and target are the same memory")
        }
        let function = library.table.enqueueCopyBufferRect
        let call = try library(function)
        let from = [source.origin.x, source.origin.y, source.origin.z]
        let to = [box.origin.x, box.origin.y, box.origin.z]
        let extent = [region.x, region.y, region.z]
        let status = try queue.withWaitList(events) { waiting, list in
            call(
                queue.handle, handle, target.handle, from, to, extent, source.rowPitch, source.slicePitch, box.rowPitch,
                box.slicePitch, waiting, list, nil)
        }
        try library.check(status, function, "a box of \(extent) bytes")
    }

    /// That the box is well formed and that its last byte is within the buffer.
    private func checkBox(
        _ box: BufferBox, _ region: (x: Int, y: Int, z: Int), _ queue: Queue
    ) throws(OpenCLError) {
        let origin = box.origin
        let isFormed =
            region.x > 0 && region.y > 0 && region.z > 0 && origin.x >= 0 && origin.y >= 0 && origin.z >= 0
            && box.rowPitch >= region.x && box.slicePitch > 0 && box.slicePitch % box.rowPitch == 0
            && box.slicePitch / box.rowPitch >= region.y
        guard isFormed,
            let rows = Bounds.sum(origin.y, region.y - 1).flatMap({ Bounds.product($0, box.rowPitch) }),
            let slices = Bounds.sum(origin.z, region.z - 1).flatMap({ Bounds.product($0, box.slicePitch) }),
            let end = Bounds.sum(slices, rows, origin.x, region.x)
        else {
            throw .invalidArgument(operation: "copying a box", reason: "\(region) bytes do not form a box in \(box)")
        }
        try check(queue, 0, end, "copying a box")
    }
}
