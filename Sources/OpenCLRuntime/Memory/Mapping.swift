import COpenCL

/// A buffer's bytes in the host's address space; given back to the device when this value ends.
///
/// While it lives no kernel may use the mapped bytes.
public struct Mapping: ~Copyable {
    /// The mapped bytes; valid as long as this value. Read-only unless mapped for writing.
    public let bytes: UnsafeMutableRawBufferPointer
    private let buffer: Buffer
    private let queue: Queue
    private var isOpen = true

    fileprivate init(bytes: UnsafeMutableRawBufferPointer, buffer: Buffer, queue: Queue) {
        self.bytes = bytes
        self.buffer = buffer
        self.queue = queue
    }

    /// Gives the bytes back now, and says whether that worked (`clEnqueueUnmapMemObject`).
    public consuming func unmap() throws(OpenCLError) {
        let library = buffer.library
        let function = library.table.enqueueUnmapMemObject
        let status = try library(function)(queue.handle, buffer.handle, bytes.baseAddress, 0, nil, nil)
        // After a failure this value ends still open, and tries once more: the driver would keep the mapping for ever.
        try library.check(status, function, "\(bytes.count) bytes")
        isOpen = false
    }

    deinit {
        let library = buffer.library
        guard isOpen, getProcess(library), let call = library.table.enqueueUnmapMemObject.pointer else { return }
        _ = call(queue.handle, buffer.handle, bytes.baseAddress, 0, nil, nil)
    }
}

/// Whether this is still the process that opened the loader, for code that cannot throw.
private func getProcess(_ library: OpenCLLibrary) -> Bool {
    do { try library.checkProcess() } catch { return false }
    return true
}

extension Buffer {
    /// What the host does with mapped bytes.
    public enum MapAccess: Hashable, Sendable {
        case read, write, readWrite
        /// Every byte will be written; what was there need not be fetched.
        case overwrite

        var flags: cl_map_flags {
            switch self {
            case .read: cl_map_flags(CL_MAP_READ)
            case .write: cl_map_flags(CL_MAP_WRITE)
            case .readWrite: cl_map_flags(CL_MAP_READ) | cl_map_flags(CL_MAP_WRITE)
            case .overwrite: cl_map_flags(CL_MAP_WRITE_INVALIDATE_REGION)
            }
        }
    }

    /// Maps bytes of the buffer into the host's address space and waits until they are there (`clEnqueueMapBuffer`).
    ///
    /// - Parameters:
    ///   - byteCount: Bytes; nil goes to the end.
    public func map(
        _ access: MapAccess, at offset: Int = 0, byteCount: Int? = nil, on queue: Queue, waitFor events: [Event] = []
    ) throws(OpenCLError) -> Mapping {
        let count = byteCount ?? Bounds.rest(of: self.byteCount, from: offset)
        try check(queue, offset, count, "mapping a buffer")
        let function = library.table.enqueueMapBuffer
        let call = try library(function)
        var pointer: UnsafeMutableRawPointer?
        let status = try queue.withWaitList(events) { waiting, list in
            var status: cl_int = 0
            pointer = call(queue.handle, handle, 1, access.flags, offset, count, waiting, list, nil, &status)
            return status
        }
        try library.check(status, function, "\(count) bytes from \(offset) of \(self.byteCount)")
        guard let pointer else {
            throw .callFailed(function: function.name, status: .mapFailure, context: "no pointer came back")
        }
        let bytes = UnsafeMutableRawBufferPointer(start: pointer, count: count)
        return Mapping(bytes: bytes, buffer: self, queue: queue)
    }
}
