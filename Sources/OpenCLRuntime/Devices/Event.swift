import COpenCL

/// The completion of one command (`cl_event`). Released in `deinit`: drivers keep every event that is not.
///
/// Unchecked: an event may be used from any thread (OpenCL 1.2, A.2).
public final class Event: @unchecked Sendable {
    /// How far a command has come.
    public enum Progress: Hashable, Sendable {
        case queued, submitted, running, complete
        case failed(Status)
    }

    /// Nanoseconds of the device's clock (`clGetEventProfilingInfo`).
    public struct Times: Hashable, Sendable {
        public let queued: UInt64
        public let submitted: UInt64
        public let started: UInt64
        public let ended: UInt64
        /// Nanoseconds between start and end.
        public var duration: UInt64 { ended >= started ? ended - started : 0 }
    }

    /// The queue the command is in.
    public let queue: Queue
    let handle: OpaquePointer

    var library: OpenCLLibrary { queue.library }
    /// The `cl_event`, for code that calls OpenCL itself: valid as long as the event, which keeps its reference.
    public var unsafeHandle: OpaquePointer { handle }

    init(_ created: OpaquePointer?, of queue: Queue, from function: String) throws(OpenCLError) {
        guard let created else {
            throw .callFailed(function: function, status: .outOfHostMemory, context: "no event came back")
        }
        handle = created
        self.queue = queue
    }

    deinit { library.release(handle, with: library.table.releaseEvent) }

    /// Flushes the queue and waits for the command (`clWaitForEvents`). The calling thread blocks.
    ///
    /// - Throws: The command's own failure, where it failed.
    public func wait() throws(OpenCLError) {
        // Some drivers hang when a queue that was never flushed is waited for.
        try queue.flush()
        let function = library.table.waitForEvents
        let call = try library(function)
        var event: cl_event? = handle
        try library.check(call(1, &event), function, "a command on \(queue.device.name)")
    }

    /// How far the command has come (`clGetEventInfo`), without waiting.
    public func progress() throws(OpenCLError) -> Progress {
        let reader = InfoReader(library: library, function: library.table.getEventInfo, object: handle)
        switch try reader.value(CL_EVENT_COMMAND_EXECUTION_STATUS, 0 as cl_int) {
        case CL_COMPLETE: return .complete
        case CL_RUNNING: return .running
        case CL_SUBMITTED: return .submitted
        case CL_QUEUED: return .queued
        case let code: return .failed(Status(rawValue: code))
        }
    }

    /// Waits for the command, then gives its times.
    ///
    /// - Throws: ``OpenCLError/invalidArgument(operation:reason:)`` unless the queue was made with profiling.
    public func times() throws(OpenCLError) -> Times {
        guard queue.isProfiling else {
            throw .invalidArgument(operation: "reading times", reason: "the queue was made without profiling")
        }
        try wait()
        let reader = InfoReader(library: library, function: library.table.getEventProfilingInfo, object: handle)
        return Times(
            queued: try reader.value(CL_PROFILING_COMMAND_QUEUED, 0 as cl_ulong),
            submitted: try reader.value(CL_PROFILING_COMMAND_SUBMIT, 0 as cl_ulong),
            started: try reader.value(CL_PROFILING_COMMAND_START, 0 as cl_ulong),
            ended: try reader.value(CL_PROFILING_COMMAND_END, 0 as cl_ulong))
    }
}

extension Queue {
    /// Calls `body` with the events as C wants them. Events of other queues are flushed first: a command
    /// that waits for one nobody flushed hangs on some drivers.
    @inline(__always)
    func withWaitList(
        _ events: [Event], _ body: (cl_uint, UnsafePointer<cl_event?>?) -> cl_int
    ) throws(OpenCLError) -> cl_int {
        if events.isEmpty { return body(0, nil) }
        var handles: [cl_event?] = []
        handles.reserveCapacity(events.count)
        for event in events {
            guard event.queue.context.handle == context.handle else {
                throw .invalidArgument(operation: "waiting for an event", reason: "it belongs to another context")
            }
            if event.queue !== self { try event.queue.flush() }
            handles.append(event.handle)
        }
        let status = handles.withUnsafeBufferPointer { body(cl_uint($0.count), $0.baseAddress) }
        withExtendedLifetime(events) {}
        return status
    }
}
