import COpenCL

/// A context over one device (`cl_context`): what buffers, programs and queues belong to.
///
/// Programs built through a ``ProgramCache`` live as long as the context.
///
/// Unchecked: a context may be used from any thread (OpenCL 1.2, A.2), and the table of programs has its lock.
public final class Context: @unchecked Sendable {
    public let device: Device
    let handle: OpaquePointer
    let programs = ProgramTable()

    public var library: OpenCLLibrary { device.library }
    /// The `cl_context`, for code that calls OpenCL itself: valid as long as the context, which keeps its reference.
    public var unsafeHandle: OpaquePointer { handle }

    /// A new context over `device` (`clCreateContext`).
    ///
    /// - Throws: ``OpenCLError/invalidArgument(operation:reason:)`` for a device that is unsuitable, or the driver's status.
    public init(device: Device) throws(OpenCLError) {
        if let reason = device.unsuitability {
            throw .invalidArgument(operation: "making a context", reason: "\(device.name): \(reason)")
        }
        let function = device.library.table.createContext
        let call = try device.library(function)
        let properties: [cl_context_properties] = [
            cl_context_properties(CL_CONTEXT_PLATFORM), Int(bitPattern: device.platform.id), 0,
        ]
        var id: cl_device_id? = device.id
        var status: cl_int = 0
        let created = call(properties, 1, &id, nil, nil, &status)
        try device.library.check(status, function, "a context over \(device.name)")
        guard let created else {
            throw .callFailed(function: function.name, status: .outOfHostMemory, context: "no context came back")
        }
        handle = created
        self.device = device
    }

    /// A context the caller already has; it is retained (`clRetainContext`) and released with this object.
    ///
    /// - Parameters:
    ///   - handle: A valid `cl_context`.
    ///   - device: Which of its devices to use; nil takes the first.
    ///   - library: The loader to call.
    public init(
        wrapping handle: OpaquePointer, device: Device? = nil, library: OpenCLLibrary
    ) throws(OpenCLError) {
        let reader = InfoReader(library: library, function: library.table.getContextInfo, object: handle)
        let ids = try reader.array(CL_CONTEXT_DEVICES, of: 0 as Int).compactMap { OpaquePointer(bitPattern: $0) }
        guard let first = ids.first else {
            throw .invalidArgument(operation: "wrapping a context", reason: "it has no device")
        }
        if let device {
            guard ids.contains(device.id) else {
                throw .invalidArgument(
                    operation: "wrapping a context", reason: "\(device.name) is not one of its devices")
            }
            self.device = device
        } else {
            self.device = try Device(wrapping: first, library: library)
        }
        let retain = library.table.retainContext
        try library.check(try library(retain)(handle), retain, "wrapping a context")
        self.handle = handle
    }

    deinit { library.release(handle, with: library.table.releaseContext) }
}
