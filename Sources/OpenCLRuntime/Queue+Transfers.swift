import COpenCL

extension Queue {
    /// Copies bytes of `buffer` to the host, and waits for that. Calls `clEnqueueReadBuffer`.
    public func read(
        _ buffer: Buffer, at offset: Int = 0, into bytes: UnsafeMutableRawBufferPointer
    ) throws(OpenCLError) {
        try check(buffer, offset, bytes.count)
        guard !bytes.isEmpty else { return }
        let read = try context.functions.require(context.functions.enqueueReadBuffer, "clEnqueueReadBuffer")
        let status = read(handle, buffer.handle, cl_bool(CL_TRUE), offset, bytes.count, bytes.baseAddress, 0, nil, nil)
        try Status(rawValue: status).check("clEnqueueReadBuffer", "\(bytes.count) bytes at \(offset)")
    }

    /// Copies bytes from the host to `buffer`, and waits for that. Calls `clEnqueueWriteBuffer`.
    public func write(_ buffer: Buffer, at offset: Int = 0, from bytes: UnsafeRawBufferPointer) throws(OpenCLError) {
        try check(buffer, offset, bytes.count)
        guard !bytes.isEmpty else { return }
        let write = try context.functions.require(context.functions.enqueueWriteBuffer, "clEnqueueWriteBuffer")
        let status = write(handle, buffer.handle, cl_bool(CL_TRUE), offset, bytes.count, bytes.baseAddress, 0, nil, nil)
        try Status(rawValue: status).check("clEnqueueWriteBuffer", "\(bytes.count) bytes at \(offset)")
    }

    /// Copies between buffers, in the order of commands. Calls `clEnqueueCopyBuffer`.
    public func copy(
        _ source: Buffer, at sourceOffset: Int = 0, to target: Buffer, at targetOffset: Int = 0, byteCount: Int
    ) throws(OpenCLError) {
        try check(source, sourceOffset, byteCount)
        try check(target, targetOffset, byteCount)
        guard byteCount > 0 else { return }
        let copy = try context.functions.require(context.functions.enqueueCopyBuffer, "clEnqueueCopyBuffer")
        let status = copy(handle, source.handle, target.handle, sourceOffset, targetOffset, byteCount, 0, nil, nil)
        try Status(rawValue: status).check("clEnqueueCopyBuffer", "\(byteCount) bytes")
    }

    /// Fills bytes of `buffer` with `byte`, in the order of commands. Calls `clEnqueueFillBuffer`.
    public func fill(_ buffer: Buffer, at offset: Int = 0, byteCount: Int, with byte: UInt8) throws(OpenCLError) {
        try check(buffer, offset, byteCount)
        guard byteCount > 0 else { return }
        let fill = try context.functions.require(context.functions.enqueueFillBuffer, "clEnqueueFillBuffer")
        var pattern = byte
        try Status(rawValue: fill(handle, buffer.handle, &pattern, 1, offset, byteCount, 0, nil, nil))
            .check("clEnqueueFillBuffer", "\(byteCount) bytes at \(offset)")
    }

    /// Lends the bytes of `buffer` to the host for the time of `body`, once all commands so far have ended.
    ///
    /// Calls `clEnqueueMapBuffer` and `clEnqueueUnmapMemObject`. Where the memory is the host's, nothing is copied.
    public func withMapped<Result, Failure: Error>(
        _ buffer: Buffer, writes: Bool = true, _ body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Result
    ) throws(OpenCLError) -> Swift.Result<Result, Failure> {
        try check(buffer, 0, buffer.byteCount)
        let functions = context.functions
        let map = try functions.require(functions.enqueueMapBuffer, "clEnqueueMapBuffer")
        let unmap = try functions.require(functions.enqueueUnmapMemObject, "clEnqueueUnmapMemObject")
        var status: cl_int = 0
        let flags = cl_map_flags(writes ? CL_MAP_READ | CL_MAP_WRITE : CL_MAP_READ)
        let pointer = map(
            handle, buffer.handle, cl_bool(CL_TRUE), flags, 0, buffer.byteCount, 0, nil, nil, &status)
        try Status(rawValue: status).check("clEnqueueMapBuffer", "\(buffer.byteCount) bytes")
        let result: Swift.Result<Result, Failure>
        do throws(Failure) {
            result = .success(try body(UnsafeMutableRawBufferPointer(start: pointer, count: buffer.byteCount)))
        } catch {
            result = .failure(error)
        }
        try Status(rawValue: unmap(handle, buffer.handle, pointer, 0, nil, nil)).check("clEnqueueUnmapMemObject")
        return result
    }

    /// Lets the host see what kernels wrote to shared memory, once all commands so far have ended.
    public func makeVisible(_ buffer: Buffer) throws(OpenCLError) {
        _ = try withMapped(buffer, writes: false) { (_) throws(Never) in }
    }

    private func check(_ buffer: Buffer, _ offset: Int, _ count: Int) throws(OpenCLError) {
        try context.checkUsable()
        // Some drivers run on another context's buffers, and give anything.
        guard buffer.context.handle == context.handle else {
            throw .invalidArgument("the buffer belongs to another context")
        }
        try buffer.check(offset, count)
    }
}
