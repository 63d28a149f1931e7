import COpenCL

/// Memory of a context that kernels read and write (`cl_mem`).
///
/// Some drivers grant any allocation and fail when it is first touched; ``fill(with:at:byteCount:on:waitFor:)``
/// touches all of it.
///
/// Unchecked: a memory object may be used from any thread (OpenCL 1.2, A.2); who writes its bytes when is the caller's order.
public final class Buffer: @unchecked Sendable {
    /// What kernels may do with the bytes.
    public enum Access: Hashable, Sendable {
        case readWrite, readOnly, writeOnly

        var flags: cl_mem_flags {
            switch self {
            case .readWrite: cl_mem_flags(CL_MEM_READ_WRITE)
            case .readOnly: cl_mem_flags(CL_MEM_READ_ONLY)
            case .writeOnly: cl_mem_flags(CL_MEM_WRITE_ONLY)
            }
        }
    }

    public let context: Context
    public let byteCount: Int
    /// The buffer this is a part of, and where it begins there, in bytes.
    public let parent: (buffer: Buffer, offset: Int)?
    let handle: OpaquePointer
    /// Keeps host memory alive where the driver cannot say when it is done with it.
    private let owner: AnyObject?

    var library: OpenCLLibrary { context.library }
    /// The `cl_mem`, for code that calls OpenCL itself: valid as long as the buffer, which keeps its reference.
    public var unsafeHandle: OpaquePointer { handle }

    private init(
        handle: OpaquePointer, context: Context, byteCount: Int, parent: (Buffer, Int)? = nil, owner: AnyObject? = nil
    ) {
        self.handle = handle
        self.context = context
        self.byteCount = byteCount
        self.parent = parent.map { (buffer: $0.0, offset: $0.1) }
        self.owner = owner
    }

    deinit { library.release(handle, with: library.table.releaseMemObject) }

    /// New memory (`clCreateBuffer`). What it holds is undefined.
    ///
    /// - Parameters:
    ///   - byteCount: Bytes, at least 1.
    ///   - access: What kernels may do with it.
    ///   - hostVisible: Asks for memory the host can map without a copy (`CL_MEM_ALLOC_HOST_PTR`).
    /// - Throws: ``OpenCLError/allocationTooLarge(bytes:limit:device:)``,
    ///   ``OpenCLError/invalidArgument(operation:reason:)`` or the driver's status.
    public convenience init(
        context: Context, byteCount: Int, access: Access = .readWrite, hostVisible: Bool = false
    ) throws(OpenCLError) {
        let flags = access.flags | (hostVisible ? cl_mem_flags(CL_MEM_ALLOC_HOST_PTR) : 0)
        let handle = try Self.create(context, byteCount: byteCount, flags: flags, pointer: nil)
        self.init(handle: handle, context: context, byteCount: byteCount)
    }

    /// New memory that starts as a copy of `bytes` (`CL_MEM_COPY_HOST_PTR`); `bytes` may go afterwards.
    public convenience init(
        context: Context, copying bytes: UnsafeRawBufferPointer, access: Access = .readWrite
    ) throws(OpenCLError) {
        let flags = access.flags | cl_mem_flags(CL_MEM_COPY_HOST_PTR)
        let pointer = bytes.baseAddress.map { UnsafeMutableRawPointer(mutating: $0) }
        let handle = try Self.create(context, byteCount: bytes.count, flags: flags, pointer: pointer)
        self.init(handle: handle, context: context, byteCount: bytes.count)
    }

    /// The caller's own memory, used in place (`CL_MEM_USE_HOST_PTR`).
    ///
    /// While the buffer lives, the host may touch the memory only inside a ``map(_:at:byteCount:on:waitFor:)``. On the CPU
    /// devices of PoCL 3.1, rusticl 22.3 and Intel's 2026 runtime both sides were seen to work on the same bytes without
    /// one, once the queue was finished, at every alignment from 4 bytes up; OpenCL does not promise it.
    ///
    /// - Parameters:
    ///   - pointer: The first byte; a multiple of `alignment`.
    ///   - byteCount: Bytes, at least 1.
    ///   - owner: Kept alive until the driver has destroyed the buffer, which can be later than the last reference to it.
    ///   - alignment: Bytes; nil asks for ``DeviceInfo/hostPointerAlignmentBytes``. Kernels that load element by element or
    ///     with `vloadn` are content with their element's size on a CPU.
    /// - Throws: ``OpenCLError/invalidArgument(operation:reason:)`` where the device has a memory of its own, or for a
    ///   pointer that is not aligned.
    public convenience init(
        context: Context, sharing pointer: UnsafeMutableRawPointer, byteCount: Int, owner: (any AnyObject & Sendable)?,
        alignment: Int? = nil, access: Access = .readWrite
    ) throws(OpenCLError) {
        let info = context.device.info
        guard info.hasUnifiedMemory else {
            throw .invalidArgument(operation: "sharing host memory", reason: "\(info.name) has a memory of its own")
        }
        let needed = max(1, alignment ?? info.hostPointerAlignmentBytes)
        guard Int(bitPattern: pointer) % needed == 0 else {
            throw .invalidArgument(
                operation: "sharing host memory", reason: "\(pointer) is not a multiple of \(needed) bytes")
        }
        let flags = access.flags | cl_mem_flags(CL_MEM_USE_HOST_PTR)
        let handle = try Self.create(context, byteCount: byteCount, flags: flags, pointer: pointer)
        let kept = owner.flatMap { Self.releaseWithMemory($0, handle, context.library) }
        self.init(handle: handle, context: context, byteCount: byteCount, owner: kept)
    }

    /// Memory the caller already has; it is retained (`clRetainMemObject`) and released with this object.
    ///
    /// - Throws: ``OpenCLError/invalidArgument(operation:reason:)`` for an image or memory of another context.
    public convenience init(wrapping handle: OpaquePointer, context: Context) throws(OpenCLError) {
        let library = context.library
        let reader = InfoReader(library: library, function: library.table.getMemObjectInfo, object: handle)
        guard try reader.value(CL_MEM_TYPE, 0 as cl_uint) == cl_uint(CL_MEM_OBJECT_BUFFER) else {
            throw .invalidArgument(operation: "wrapping memory", reason: "it is not a buffer")
        }
        guard try reader.handle(CL_MEM_CONTEXT) == context.handle else {
            throw .invalidArgument(operation: "wrapping memory", reason: "it belongs to another context")
        }
        let size = try reader.value(CL_MEM_SIZE, 0 as Int)
        let retain = library.table.retainMemObject
        try library.check(try library(retain)(handle), retain, "wrapping memory")
        self.init(handle: handle, context: context, byteCount: size)
    }

    /// A part of this buffer as a buffer of its own (`clCreateSubBuffer`); writes through one are seen through the other.
    ///
    /// - Parameters:
    ///   - offset: Bytes, a multiple of ``DeviceInfo/baseAlignmentBytes``.
    ///   - byteCount: Bytes, at least 1.
    /// - Throws: ``OpenCLError/invalidArgument(operation:reason:)`` for a part of a part too: take it from ``parent``.
    public func part(at offset: Int, byteCount: Int, access: Access = .readWrite) throws(OpenCLError) -> Buffer {
        let operation = "a part of a buffer"
        guard parent == nil else {
            throw .invalidArgument(operation: operation, reason: "this is a part itself")
        }
        try Bounds.check(offset: offset, count: byteCount, limit: self.byteCount, operation)
        let alignment = context.device.info.baseAlignmentBytes
        guard offset % alignment == 0 else {
            throw .invalidArgument(
                operation: operation, reason: "offset \(offset) is not a multiple of \(alignment) bytes")
        }
        let function = library.table.createSubBuffer
        let call = try library(function)
        var region = cl_buffer_region(origin: offset, size: byteCount)
        var status: cl_int = 0
        let created = call(handle, access.flags, cl_uint(CL_BUFFER_CREATE_TYPE_REGION), &region, &status)
        try library.check(status, function, "\(byteCount) bytes from \(offset) of \(self.byteCount)")
        guard let created else {
            throw .callFailed(function: function.name, status: .outOfHostMemory, context: "no buffer came back")
        }
        return Buffer(handle: created, context: context, byteCount: byteCount, parent: (self, offset))
    }
}

extension Buffer {
    /// `clCreateBuffer`, with the size checked on the host: drivers grant what they do not have.
    private static func create(
        _ context: Context, byteCount: Int, flags: cl_mem_flags, pointer: UnsafeMutableRawPointer?
    ) throws(OpenCLError) -> OpaquePointer {
        guard byteCount > 0 else {
            throw .invalidArgument(operation: "making a buffer", reason: "\(byteCount) bytes; at least 1 is needed")
        }
        let device = context.device
        if byteCount > device.info.maxAllocationBytes {
            let limit = device.currentAllocationLimit()
            if byteCount > limit { throw .allocationTooLarge(bytes: byteCount, limit: limit, device: device.name) }
        }
        let library = context.library
        let function = library.table.createBuffer
        let call = try library(function)
        var status: cl_int = 0
        let created = call(context.handle, flags, byteCount, pointer, &status)
        try library.check(status, function, "\(byteCount) bytes on \(device.name)")
        guard let created else {
            throw .callFailed(function: function.name, status: .outOfHostMemory, context: "no buffer came back")
        }
        return created
    }

    /// Hands a reference to `owner` to the driver, which drops it once the memory object is destroyed
    /// (`clSetMemObjectDestructorCallback`). Where it cannot, the owner comes back to be kept by the buffer.
    private static func releaseWithMemory(
        _ owner: AnyObject, _ handle: OpaquePointer, _ library: OpenCLLibrary
    ) -> AnyObject? {
        guard let call = library.table.setMemObjectDestructorCallback.pointer else { return owner }
        let reference = Unmanaged.passRetained(owner)
        let status = call(
            handle,
            { _, pointer in if let pointer { Unmanaged<AnyObject>.fromOpaque(pointer).release() } },
            reference.toOpaque())
        guard status != CL_SUCCESS else { return nil }
        reference.release()
        return owner
    }

    /// Where the bytes really lie: the outermost buffer, and the offset in it.
    var root: (handle: OpaquePointer, offset: Int) {
        parent.map { ($0.buffer.handle, $0.offset) } ?? (handle, 0)
    }
}
