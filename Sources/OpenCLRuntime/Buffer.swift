import COpenCL

/// Memory that kernels reach.
///
/// `@unchecked Sendable`: the handle never changes; contents follow the order of commands.
public final class Buffer: @unchecked Sendable {
    public let context: Context
    public let byteCount: Int
    let handle: cl_mem

    /// New memory with undefined contents. Calls `clCreateBuffer`.
    public convenience init(context: Context, byteCount: Int) throws(OpenCLError) {
        try self.init(context, byteCount, flags: CL_MEM_READ_WRITE, pointer: nil)
    }

    /// New memory with a copy of `bytes`.
    public convenience init(context: Context, copying bytes: UnsafeRawBufferPointer) throws(OpenCLError) {
        let pointer = UnsafeMutableRawPointer(mutating: bytes.baseAddress)
        try self.init(context, bytes.count, flags: CL_MEM_READ_WRITE | CL_MEM_COPY_HOST_PTR, pointer: pointer)
    }

    /// Host memory in place, which must outlive this object. The host sees what kernels wrote after ``Queue/makeVisible(_:)``.
    ///
    /// - Throws: ``OpenCLError/invalidArgument(_:)`` if the memory does not begin where the device needs it to.
    public convenience init(context: Context, sharing bytes: UnsafeMutableRawBufferPointer) throws(OpenCLError) {
        let alignment = context.device.info.baseAddressAlignment
        guard let base = bytes.baseAddress, Int(bitPattern: base).isMultiple(of: alignment) else {
            throw .invalidArgument("memory to share must begin at a multiple of \(alignment) bytes")
        }
        try self.init(context, bytes.count, flags: CL_MEM_READ_WRITE | CL_MEM_USE_HOST_PTR, pointer: base)
    }

    private init(
        _ context: Context, _ byteCount: Int, flags: Int32, pointer: UnsafeMutableRawPointer?
    ) throws(OpenCLError) {
        try context.checkUsable()
        guard byteCount > 0 else { throw .invalidArgument("a buffer needs at least a byte, not \(byteCount)") }
        let create = try context.functions.require(context.functions.createBuffer, "clCreateBuffer")
        var status: cl_int = 0
        let handle = create(context.handle, cl_mem_flags(flags), byteCount, pointer, &status)
        try Status(rawValue: status).check("clCreateBuffer", "\(byteCount) bytes")
        guard let handle else {
            throw .failed(
                function: "clCreateBuffer", status: .memObjectAllocationFailure, context: "\(byteCount) bytes")
        }
        self.context = context
        self.byteCount = byteCount
        self.handle = handle
    }

    /// A part of `parent`, sharing its memory. Calls `clCreateSubBuffer`.
    ///
    /// - Throws: ``OpenCLError/invalidArgument(_:)`` if the range leaves the parent or begins unaligned.
    public init(part range: Range<Int>, of parent: Buffer) throws(OpenCLError) {
        let context = parent.context
        try context.checkUsable()
        let alignment = context.device.info.baseAddressAlignment
        guard !range.isEmpty, range.lowerBound >= 0, range.upperBound <= parent.byteCount else {
            throw .invalidArgument("bytes \(range) are no part of a buffer of \(parent.byteCount)")
        }
        guard range.lowerBound.isMultiple(of: alignment) else {
            throw .invalidArgument("a sub-buffer begins at a multiple of \(alignment) bytes, not \(range.lowerBound)")
        }
        let create = try context.functions.require(context.functions.createSubBuffer, "clCreateSubBuffer")
        var region = cl_buffer_region(origin: range.lowerBound, size: range.count)
        var status: cl_int = 0
        let handle = create(parent.handle, 0, cl_buffer_create_type(CL_BUFFER_CREATE_TYPE_REGION), &region, &status)
        try Status(rawValue: status).check("clCreateSubBuffer", "bytes \(range)")
        guard let handle else {
            throw .failed(function: "clCreateSubBuffer", status: .outOfResources, context: "bytes \(range)")
        }
        self.context = context
        byteCount = range.count
        self.handle = handle
    }

    /// A buffer that the caller has in this context. It is retained until this object goes. Calls `clGetMemObjectInfo`.
    public init(wrapping handle: cl_mem, context: Context) throws(OpenCLError) {
        let functions = context.functions
        let get = try functions.require(functions.getMemObjectInfo, "clGetMemObjectInfo")
        let query = InfoQuery(function: "clGetMemObjectInfo") { get(handle, $0, $1, $2, $3) }
        // Some drivers run kernels on another context's buffers, and give anything.
        let owner: cl_context? = try query.value(CL_MEM_CONTEXT, nil)
        guard owner == context.handle else { throw .invalidArgument("the buffer belongs to another context") }
        byteCount = try query.value(CL_MEM_SIZE, 0)
        let retain = try functions.require(functions.retainMemObject, "clRetainMemObject")
        try Status(rawValue: retain(handle)).check("clRetainMemObject")
        self.context = context
        self.handle = handle
    }

    deinit { if context.isUsable { _ = context.functions.releaseMemObject?(handle) } }

    public var rawHandle: cl_mem { handle }

    func check(_ offset: Int, _ count: Int) throws(OpenCLError) {
        guard offset >= 0, count >= 0, count <= byteCount, offset <= byteCount - count else {
            throw .invalidArgument("\(count) bytes at \(offset) leave a buffer of \(byteCount)")
        }
    }
}
