import COpenCL

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Where buffers, programs and queues of one device live.
///
/// `@unchecked Sendable`: the handle never changes, and OpenCL allows its use from any thread.
public final class Context: @unchecked Sendable {
    public let device: Device
    let handle: cl_context
    let functions: FunctionTable
    /// Drivers hang when they are used in a forked child.
    private let process = getpid()

    /// A context of one device. Calls `clCreateContext`.
    public init(device: Device) throws(OpenCLError) {
        self.device = device
        functions = device.library.functions
        let create = try functions.require(functions.createContext, "clCreateContext")
        var ids: [cl_device_id?] = [device.id]
        var status: cl_int = 0
        let handle = create(nil, 1, &ids, nil, nil, &status)
        try Status(rawValue: status).check("clCreateContext", device.info.name)
        guard let handle else {
            throw .failed(function: "clCreateContext", status: .outOfResources, context: "no context")
        }
        self.handle = handle
    }

    /// A context that the caller has, of which `device` is one. It is retained until this object goes.
    public init(wrapping handle: cl_context, device: Device) throws(OpenCLError) {
        self.device = device
        functions = device.library.functions
        let retain = try functions.require(functions.retainContext, "clRetainContext")
        try Status(rawValue: retain(handle)).check("clRetainContext")
        self.handle = handle
    }

    deinit { if isUsable { _ = functions.releaseContext?(handle) } }

    /// The raw handle, for other libraries; valid as long as this object.
    public var rawHandle: cl_context { handle }

    /// False in a forked child.
    var isUsable: Bool { getpid() == process }

    func checkUsable() throws(OpenCLError) { if !isUsable { throw .usedAfterFork } }
}
