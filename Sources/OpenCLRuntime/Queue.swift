import COpenCL

/// An in-order command queue.
///
/// `@unchecked Sendable`: the handle never changes, and OpenCL allows commands from any thread.
public final class Queue: @unchecked Sendable {
    public let context: Context
    public let isProfiled: Bool
    let handle: cl_command_queue

    /// Calls `clCreateCommandQueue`.
    ///
    /// - Parameter isProfiled: whether its events can tell the time they took.
    public init(context: Context, isProfiled: Bool = false) throws(OpenCLError) {
        try context.checkUsable()
        self.context = context
        self.isProfiled = isProfiled
        let create = try context.functions.require(context.functions.createCommandQueue, "clCreateCommandQueue")
        var status: cl_int = 0
        let flags = isProfiled ? cl_command_queue_properties(CL_QUEUE_PROFILING_ENABLE) : 0
        let handle = create(context.handle, context.device.id, flags, &status)
        try Status(rawValue: status).check("clCreateCommandQueue", context.device.info.name)
        guard let handle else {
            throw .failed(function: "clCreateCommandQueue", status: .outOfResources, context: "no queue")
        }
        self.handle = handle
    }

    /// An in-order queue that the caller has. It is retained until this object goes.
    public init(wrapping handle: cl_command_queue, context: Context, isProfiled: Bool) throws(OpenCLError) {
        self.context = context
        self.isProfiled = isProfiled
        let retain = try context.functions.require(context.functions.retainCommandQueue, "clRetainCommandQueue")
        try Status(rawValue: retain(handle)).check("clRetainCommandQueue")
        self.handle = handle
    }

    deinit { if context.isUsable { _ = context.functions.releaseCommandQueue?(handle) } }

    public var rawHandle: cl_command_queue { handle }

    /// Hands all commands so far to the device. Calls `clFlush`.
    public func flush() throws(OpenCLError) {
        try context.checkUsable()
        let flush = try context.functions.require(context.functions.flush, "clFlush")
        try Status(rawValue: flush(handle)).check("clFlush")
    }

    /// Waits until all commands so far have ended. Calls `clFinish`.
    public func finish() throws(OpenCLError) {
        try context.checkUsable()
        let finish = try context.functions.require(context.functions.finish, "clFinish")
        try Status(rawValue: finish(handle)).check("clFinish")
    }
}
