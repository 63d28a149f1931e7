import COpenCL

/// An in-order command queue (`cl_command_queue`): commands run one after another, in the order they were enqueued.
///
/// Unchecked: a queue may be used from any thread (OpenCL 1.2, A.2).
public final class Queue: @unchecked Sendable {
    public let context: Context
    /// Events of this queue carry times.
    public let isProfiling: Bool
    let handle: OpaquePointer

    public var device: Device { context.device }
    var library: OpenCLLibrary { context.library }
    /// The `cl_command_queue`, for code that calls OpenCL itself: valid as long as the queue, which keeps its reference.
    public var unsafeHandle: OpaquePointer { handle }

    /// A new queue (`clCreateCommandQueue`).
    ///
    /// - Parameters:
    ///   - context: The context whose device runs the commands.
    ///   - profiling: Whether events carry times; it slows some drivers down.
    public init(context: Context, profiling: Bool = false) throws(OpenCLError) {
        let library = context.library
        let properties = profiling ? cl_command_queue_properties(CL_QUEUE_PROFILING_ENABLE) : 0
        var status: cl_int = 0
        let created: OpaquePointer?
        let name: String
        if let call = library.table.createCommandQueue.pointer {
            try library.checkProcess()
            name = library.table.createCommandQueue.name
            created = call(context.handle, context.device.id, properties, &status)
        } else {
            // Loaders may drop what OpenCL 2.0 deprecated.
            let call = try library(library.table.createCommandQueueWithProperties)
            name = library.table.createCommandQueueWithProperties.name
            let list: [cl_ulong] = [cl_ulong(CL_QUEUE_PROPERTIES), properties, 0]
            created = call(context.handle, context.device.id, list, &status)
        }
        guard status == CL_SUCCESS, let created else {
            let failure = status == CL_SUCCESS ? Status.outOfHostMemory : Status(rawValue: status)
            throw .callFailed(function: name, status: failure, context: "a queue on \(context.device.name)")
        }
        self.context = context
        isProfiling = profiling
        handle = created
    }

    /// A queue the caller already has; it is retained (`clRetainCommandQueue`) and released with this object.
    ///
    /// - Throws: ``OpenCLError/invalidArgument(operation:reason:)`` for a queue of another context or device, or
    ///   one that runs its commands out of order.
    public init(wrapping handle: OpaquePointer, context: Context) throws(OpenCLError) {
        let library = context.library
        let reader = InfoReader(library: library, function: library.table.getCommandQueueInfo, object: handle)
        guard try reader.handle(CL_QUEUE_CONTEXT) == context.handle else {
            throw .invalidArgument(operation: "wrapping a queue", reason: "it belongs to another context")
        }
        guard try reader.handle(CL_QUEUE_DEVICE) == context.device.id else {
            throw .invalidArgument(operation: "wrapping a queue", reason: "it is not on \(context.device.name)")
        }
        let properties = try reader.value(CL_QUEUE_PROPERTIES, 0 as cl_command_queue_properties)
        guard properties & cl_command_queue_properties(CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE) == 0 else {
            throw .invalidArgument(
                operation: "wrapping a queue", reason: "it is out of order; an in-order queue is needed")
        }
        let retain = library.table.retainCommandQueue
        try library.check(try library(retain)(handle), retain, "wrapping a queue")
        self.context = context
        isProfiling = properties & cl_command_queue_properties(CL_QUEUE_PROFILING_ENABLE) != 0
        self.handle = handle
    }

    deinit { library.release(handle, with: library.table.releaseCommandQueue) }

    /// Hands everything enqueued so far to the device, without waiting (`clFlush`).
    public func flush() throws(OpenCLError) {
        try library.check(try library(library.table.flush)(handle), library.table.flush, device.name)
    }

    /// Waits until everything enqueued so far is done (`clFinish`). The calling thread blocks.
    public func finish() throws(OpenCLError) {
        try library.check(try library(library.table.finish)(handle), library.table.finish, device.name)
    }

    /// An event that completes when everything enqueued so far has (`clEnqueueMarkerWithWaitList`).
    public func marker() throws(OpenCLError) -> Event {
        let function = library.table.enqueueMarkerWithWaitList
        let call = try library(function)
        var event: cl_event?
        try library.check(call(handle, 0, nil, &event), function, device.name)
        return try Event(event, of: self, from: function.name)
    }
}
