import COpenCL

/// A kernel launch in the making: arguments in the order of the kernel's parameters, then ``run(on:global:local:waitFor:)``
/// or ``enqueue(on:global:local:waitFor:)``.
///
///     try program.launch("score").buffer(q).buffer(nil).int32(5).enqueue(on: queue, global: WorkSize(64))
///
/// The first argument that is wrong is remembered and thrown when the launch is enqueued; nothing runs then.
///
/// It cannot be copied, because it is the one holder of its kernel, which goes back to the program when it ends.
public struct Launch: ~Copyable {
    private let state: KernelState
    /// Who gets the kernel back, if it is on loan.
    private let lender: KernelEntry?
    private var index = 0
    private var localBytes: Int
    private var failure: OpenCLError?

    init(_ state: KernelState, lender: KernelEntry?) {
        self.state = state
        self.lender = lender
        localBytes = state.localMemoryBytes
        do { try state.library.checkProcess() } catch { failure = error }
    }

    deinit {
        state.letGo()
        lender?.giveBack(state)
    }

    /// A buffer, or a null pointer.
    public consuming func buffer(_ buffer: Buffer?) -> Launch {
        if let buffer, buffer.context.handle != state.contextHandle {
            // Some drivers run it nevertheless.
            refuse("a buffer of another context")
        } else {
            if failure == nil, index < state.argumentCount { state.held[index] = buffer }
            var handle: OpaquePointer? = buffer?.handle
            set(MemoryLayout<OpaquePointer?>.size, &handle)
        }
        return self
    }

    public consuming func int32(_ value: Int32) -> Launch { bytes(of: value) }
    public consuming func uint32(_ value: UInt32) -> Launch { bytes(of: value) }
    public consuming func int64(_ value: Int64) -> Launch { bytes(of: value) }
    public consuming func uint64(_ value: UInt64) -> Launch { bytes(of: value) }
    public consuming func float(_ value: Float) -> Launch { bytes(of: value) }

    /// A value handed over as it lies in memory; its layout must be that of the kernel's parameter.
    ///
    /// A struct must not end in padding, which some drivers count and others do not: fill it with a field of its own.
    /// A vector of three counts as four: 12 bytes for a `float3` are refused by most drivers.
    public consuming func bytes<Value: BitwiseCopyable>(of value: Value) -> Launch {
        let (size, padding) = (MemoryLayout<Value>.size, MemoryLayout<Value>.stride - MemoryLayout<Value>.size)
        if size == 0 || padding != 0 {
            refuse("\(Value.self) has \(size) bytes and \(padding) of padding at its end")
        } else {
            var copy = value
            set(size, &copy)
        }
        return self
    }

    /// Local memory of the work-group, for a parameter that is a `__local` pointer.
    public consuming func local(bytes: Int) -> Launch {
        // Drivers align each to their largest type; too much makes some abort and others write where they must not.
        let begin = localBytes.addingReportingOverflow(127)
        let end = (begin.partialValue & ~127).addingReportingOverflow(max(0, bytes))
        if bytes <= 0 || begin.overflow || end.overflow {
            refuse("\(bytes) bytes of local memory")
        } else if end.partialValue > state.localMemoryLimit {
            refuse("\(end.partialValue) bytes of local memory in all; the device has \(state.localMemoryLimit)")
        } else {
            localBytes = end.partialValue
            set(bytes, nil)
        }
        return self
    }

    /// Enqueues the launch and gives its event (`clEnqueueNDRangeKernel`).
    ///
    /// - Parameters:
    ///   - queue: A queue of the program's context.
    ///   - global: Work-items along each side, all at least 1.
    ///   - local: The work-group, which divides `global`; nil lets the driver choose.
    ///   - events: What must be done first; needed only for commands of other queues.
    /// - Throws: ``OpenCLError/invalidArgument(operation:reason:)`` before anything is launched, or the driver's status.
    public consuming func run(
        on queue: Queue, global: WorkSize, local: WorkSize? = nil, waitFor events: [Event] = []
    ) throws(OpenCLError) -> Event {
        var event: cl_event?
        try submit(queue, global, local, events, &event)
        return try Event(event, of: queue, from: "clEnqueueNDRangeKernel")
    }

    /// As ``run(on:global:local:waitFor:)`` without an event, which costs nothing on the heap.
    public consuming func enqueue(
        on queue: Queue, global: WorkSize, local: WorkSize? = nil, waitFor events: [Event] = []
    ) throws(OpenCLError) {
        try submit(queue, global, local, events, nil)
    }
}

extension Launch {
    private mutating func set(_ size: Int, _ pointer: UnsafeRawPointer?) {
        if failure != nil { return }
        guard index < state.argumentCount else { return refuse("the kernel takes \(state.argumentCount)") }
        let function = state.library.table.setKernelArg
        guard let call = function.pointer else {
            failure = .missingFunction(name: function.name, library: state.library.path)
            return
        }
        let status = call(state.handle, cl_uint(index), size, pointer)
        if status != CL_SUCCESS {
            failure = .callFailed(
                function: function.name, status: Status(rawValue: status),
                context: "argument \(index) of \(state.name), \(size) bytes")
        }
        index += 1
    }

    /// Remembers the first thing that is wrong.
    private mutating func refuse(_ reason: String) {
        if failure == nil {
            failure = .invalidArgument(operation: "argument \(index) of kernel \(state.name)", reason: reason)
        }
    }

    private borrowing func submit(
        _ queue: Queue, _ global: WorkSize, _ local: WorkSize?, _ events: [Event],
        _ event: UnsafeMutablePointer<cl_event?>?
    ) throws(OpenCLError) {
        if let failure { throw failure }
        let library = state.library
        let function = library.table.enqueueNDRangeKernel
        let call = try library(function)
        let group = try checked(queue, global, local)
        var globalSizes = (global.x, global.y, global.z)
        var localSizes = group.map { ($0.x, $0.y, $0.z) } ?? (0, 0, 0)
        let status = try queue.withWaitList(events) { count, list in
            withUnsafeBytes(of: &globalSizes) { globals in
                withUnsafeBytes(of: &localSizes) { locals in
                    let sizes = group == nil ? nil : locals.assumingMemoryBound(to: Int.self).baseAddress
                    return call(
                        queue.handle, state.handle, 3, nil, globals.assumingMemoryBound(to: Int.self).baseAddress,
                        sizes,
                        count, list, event)
                }
            }
        }
        try library.check(
            status, function, "\(state.name), global \(global), local \(local.map(\.description) ?? "any")")
    }

    /// The work-group to launch with, once everything drivers treat differently is checked.
    private borrowing func checked(_ queue: Queue, _ global: WorkSize, _ local: WorkSize?) throws(OpenCLError)
        -> WorkSize?
    {
        guard queue.context.handle == state.contextHandle else {
            throw invalid("the queue belongs to another context")
        }
        guard index == state.argumentCount else {
            throw invalid("\(index) arguments; the kernel takes \(state.argumentCount)")
        }
        guard localBytes <= state.localMemoryLimit else {
            throw invalid("\(localBytes) bytes of local memory; the device has \(state.localMemoryLimit)")
        }
        guard global.isPositive, global.count != nil else { throw invalid("global size \(global)") }
        guard let group = local ?? state.requiredWorkGroup else { return nil }
        guard group.isPositive, let size = group.count else { throw invalid("work-group \(group)") }
        if let required = state.requiredWorkGroup, required != group {
            throw invalid("work-group \(group); the kernel is compiled for \(required)")
        }
        guard size <= state.maxWorkGroupSize else {
            throw invalid("\(size) work-items in a work-group; at most \(state.maxWorkGroupSize) run")
        }
        guard group.x <= state.maxSides.x, group.y <= state.maxSides.y, group.z <= state.maxSides.z else {
            throw invalid("work-group \(group); the device takes at most \(state.maxSides)")
        }
        guard global.x % group.x == 0, global.y % group.y == 0, global.z % group.z == 0 else {
            throw invalid("work-group \(group) does not divide the global size \(global)")
        }
        return group
    }

    private borrowing func invalid(_ reason: String) -> OpenCLError {
        .invalidArgument(operation: "launch of kernel \(state.name)", reason: reason)
    }
}

@available(*, unavailable, message: "clSetKernelArg is not thread-safe: use Program.withKernel")
extension Launch: Sendable {}
