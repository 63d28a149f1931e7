import COpenCL

extension Buffer {
    /// Copies `bytes` into the buffer and waits (`clEnqueueWriteBuffer`).
    public func write(
        _ bytes: UnsafeRawBufferPointer, at offset: Int = 0, on queue: Queue
    ) throws(OpenCLError) {
        _ = try enqueueWrite(bytes, at: offset, on: queue, blocking: true, waitFor: [], wantsEvent: false)
    }

    /// Copies `elements` into the buffer and waits.
    public func write<Element: BitwiseCopyable>(
        _ elements: [Element], at offset: Int = 0, on queue: Queue
    ) throws(OpenCLError) {
        try elements.withUnsafeBufferPointer { (pointer) throws(OpenCLError) in
            try write(UnsafeRawBufferPointer(pointer), at: offset, on: queue)
        }
    }

    /// Starts to copy `bytes` into the buffer. They must stay valid and unchanged until the event completes.
    public func startWriting(
        _ bytes: UnsafeRawBufferPointer, at offset: Int = 0, on queue: Queue, waitFor events: [Event] = []
    ) throws(OpenCLError) -> Event {
        let event = try enqueueWrite(bytes, at: offset, on: queue, blocking: false, waitFor: events, wantsEvent: true)
        return try Event(event, of: queue, from: library.table.enqueueWriteBuffer.name)
    }

    /// Copies from the buffer into `bytes` and waits (`clEnqueueReadBuffer`).
    public func read(
        into bytes: UnsafeMutableRawBufferPointer, at offset: Int = 0, on queue: Queue
    ) throws(OpenCLError) {
        _ = try enqueueRead(into: bytes, at: offset, on: queue, blocking: true, waitFor: [], wantsEvent: false)
    }

    /// Copies `count` elements out of the buffer, from byte `offset`, and waits.
    public func read<Element: BitwiseCopyable>(
        _ type: Element.Type, count: Int, at offset: Int = 0, on queue: Queue
    ) throws(OpenCLError) -> [Element] {
        guard count >= 0, let bytes = Bounds.product(count, MemoryLayout<Element>.stride) else {
            throw .invalidArgument(operation: "reading a buffer", reason: "\(count) elements")
        }
        if count == 0 { return [] }
        // Before the array is made: a size nobody has must not be allocated first.
        try Bounds.check(offset: offset, count: bytes, limit: byteCount, "reading a buffer")
        var failure: OpenCLError?
        let result = [Element](unsafeUninitializedCapacity: count) { pointer, filled in
            do throws(OpenCLError) {
                let whole = UnsafeMutableRawBufferPointer(start: pointer.baseAddress, count: bytes)
                try read(into: whole, at: offset, on: queue)
                filled = count
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return result
    }

    /// Starts to copy into `bytes`, which must stay valid and untouched until the event completes.
    public func startReading(
        into bytes: UnsafeMutableRawBufferPointer, at offset: Int = 0, on queue: Queue, waitFor events: [Event] = []
    ) throws(OpenCLError) -> Event {
        let event = try enqueueRead(
            into: bytes, at: offset, on: queue, blocking: false, waitFor: events, wantsEvent: true)
        return try Event(event, of: queue, from: library.table.enqueueReadBuffer.name)
    }

    private func enqueueWrite(
        _ bytes: UnsafeRawBufferPointer, at offset: Int, on queue: Queue, blocking: Bool, waitFor events: [Event],
        wantsEvent: Bool
    ) throws(OpenCLError) -> cl_event? {
        try check(queue, offset, bytes.count, "writing a buffer")
        let function = library.table.enqueueWriteBuffer
        let call = try library(function)
        var event: cl_event?
        let status = try queue.withWaitList(events) { count, list in
            withUnsafeMutablePointer(to: &event) {
                call(
                    queue.handle, handle, blocking ? 1 : 0, offset, bytes.count, bytes.baseAddress, count, list,
                    wantsEvent ? $0 : nil)
            }
        }
        try library.check(status, function, "\(bytes.count) bytes to \(offset) of \(byteCount)")
        return event
    }

    private func enqueueRead(
        into bytes: UnsafeMutableRawBufferPointer, at offset: Int, on queue: Queue, blocking: Bool,
        waitFor events: [Event], wantsEvent: Bool
    ) throws(OpenCLError) -> cl_event? {
        try check(queue, offset, bytes.count, "reading a buffer")
        let function = library.table.enqueueReadBuffer
        let call = try library(function)
        var event: cl_event?
        let status = try queue.withWaitList(events) { count, list in
            withUnsafeMutablePointer(to: &event) {
                call(
                    queue.handle, handle, blocking ? 1 : 0, offset, bytes.count, bytes.baseAddress, count, list,
                    wantsEvent ? $0 : nil)
            }
        }
        try library.check(status, function, "\(bytes.count) bytes from \(offset) of \(byteCount)")
        return event
    }

    /// That `queue` may work on this buffer, and that the bytes are within it.
    @inline(__always)
    func check(
        _ queue: Queue, _ offset: Int, _ count: Int, _ operation: @autoclosure () -> String
    ) throws(OpenCLError) {
        guard queue.context.handle == context.handle else {
            throw .invalidArgument(operation: operation(), reason: "the queue belongs to another context")
        }
        try Bounds.check(offset: offset, count: count, limit: byteCount, operation())
    }
}
