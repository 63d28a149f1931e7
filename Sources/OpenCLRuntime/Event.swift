import COpenCL

/// A command under way or ended.
///
/// `@unchecked Sendable`: the handle never changes, and OpenCL allows its use from any thread.
public final class Event: @unchecked Sendable {
    let handle: cl_event
    private let queue: Queue

    init(_ handle: cl_event, _ queue: Queue) {
        self.handle = handle
        self.queue = queue
    }

    // Events that are not released cost kilobytes each.
    deinit { if queue.context.isUsable { _ = queue.context.functions.releaseEvent?(handle) } }

    /// Waits for the end. The queue is flushed first: drivers hang on a wait for what was never handed to the device.
    /// Calls `clWaitForEvents`.
    public func wait() throws(OpenCLError) {
        try queue.flush()
        let wait = try queue.context.functions.require(queue.context.functions.waitForEvents, "clWaitForEvents")
        var handles: [cl_event?] = [handle]
        try Status(rawValue: wait(1, &handles)).check("clWaitForEvents")
    }

    /// Nanoseconds from start to end, of an ended command on a queue that profiles. Calls `clGetEventProfilingInfo`.
    public func duration() throws(OpenCLError) -> UInt64 {
        let functions = queue.context.functions
        let get = try functions.require(functions.getEventProfilingInfo, "clGetEventProfilingInfo")
        let handle = handle
        let query = InfoQuery(function: "clGetEventProfilingInfo") { get(handle, $0, $1, $2, $3) }
        let start = try query.value(CL_PROFILING_COMMAND_START, cl_ulong(0))
        let end = try query.value(CL_PROFILING_COMMAND_END, cl_ulong(0))
        return end > start ? end - start : 0
    }
}
