import COpenCL

/// One entry point of a program, for one thread at a time: ``Program/withKernel(_:_:)`` lends it.
///
/// `@unchecked Sendable`: it passes from one borrower to the next through the program's lock.
public final class Kernel: @unchecked Sendable {
    public let name: String
    /// How many arguments it takes.
    public let argumentCount: Int
    /// Work-items that a work-group of it may have on this device.
    public let workGroupSize: Int
    /// Local memory it takes whatever its arguments are, in bytes.
    public let localMemory: Int
    let handle: cl_kernel
    let context: Context

    /// Calls `clCreateKernel`.
    init(_ name: String, of program: Program) throws(OpenCLError) {
        self.name = name
        context = program.context
        let functions = context.functions
        let create = try functions.require(functions.createKernel, "clCreateKernel")
        var status: cl_int = 0
        let created = create(program.handle, name, &status)
        try Status(rawValue: status).check("clCreateKernel", name)
        guard let created else { throw .failed(function: "clCreateKernel", status: .invalidKernelName, context: name) }
        handle = created
        do throws(OpenCLError) {
            let get = try functions.require(functions.getKernelInfo, "clGetKernelInfo")
            let info = InfoQuery(function: "clGetKernelInfo") { get(created, $0, $1, $2, $3) }
            argumentCount = Int(try info.value(CL_KERNEL_NUM_ARGS, cl_uint(0)))
            let getGroup = try functions.require(functions.getKernelWorkGroupInfo, "clGetKernelWorkGroupInfo")
            let device = context.device.id
            let group = InfoQuery(function: "clGetKernelWorkGroupInfo") { getGroup(created, device, $0, $1, $2, $3) }
            workGroupSize = try group.value(CL_KERNEL_WORK_GROUP_SIZE, 0)
            localMemory = Int(clamping: group.optional(CL_KERNEL_LOCAL_MEM_SIZE, cl_ulong(0)))
        } catch {
            _ = functions.releaseKernel?(created)
            throw error
        }
    }

    deinit { if context.isUsable { _ = context.functions.releaseKernel?(handle) } }

    /// Begins to set the arguments, in their order.
    public func launch() -> KernelLaunch { KernelLaunch(self) }
}

/// The arguments of a kernel, then its launch. An error on the way is kept and thrown by the launch.
///
/// ```swift
/// try kernel.launch().buffer(input).value(Int32(3)).enqueue(on: queue, global: [1024], local: [64])
/// ```
public struct KernelLaunch {
    private let kernel: Kernel
    private var index: cl_uint = 0
    private var dynamicLocalMemory = 0
    private var failure: OpenCLError?

    init(_ kernel: Kernel) { self.kernel = kernel }

    /// A buffer, or `nil` for a null pointer. Calls `clSetKernelArg`.
    public consuming func buffer(_ buffer: Buffer?) -> KernelLaunch {
        if let buffer, buffer.context.handle != kernel.context.handle {
            fail(.invalidArgument("argument \(index) of \(kernel.name) belongs to another context"))
        }
        var handle: cl_mem? = buffer?.handle
        set(MemoryLayout<cl_mem?>.size, &handle)
        return self
    }

    /// A number or a structure, byte for byte. Calls `clSetKernelArg`.
    public consuming func value<Value: BitwiseCopyable>(_ value: Value) -> KernelLaunch {
        var copy = value
        set(MemoryLayout<Value>.stride, &copy)
        return self
    }

    /// Local memory of `byteCount` bytes. Calls `clSetKernelArg`.
    public consuming func local(byteCount: Int) -> KernelLaunch {
        dynamicLocalMemory = dynamicLocalMemory.addingReportingOverflow(byteCount).partialValue
        if byteCount <= 0 {
            fail(.invalidArgument("argument \(index) of \(kernel.name): local memory of \(byteCount) bytes"))
        }
        set(byteCount, nil)
        return self
    }

    private mutating func set(_ size: Int, _ bytes: UnsafeRawPointer?) {
        defer { index += 1 }
        guard failure == nil else { return }
        guard let set = kernel.context.functions.setKernelArg else { return fail(.missingFunction("clSetKernelArg")) }
        let status = Status(rawValue: set(kernel.handle, index, size, bytes))
        if status != .success {
            fail(.failed(function: "clSetKernelArg", status: status, context: "argument \(index) of \(kernel.name)"))
        }
    }

    private mutating func fail(_ error: OpenCLError) { failure = failure ?? error }

    /// Hands the launch to the queue. Calls `clEnqueueNDRangeKernel`.
    ///
    /// - Parameters:
    ///   - global: work-items in one to three dimensions.
    ///   - local: work-items of a work-group, or `nil` to let the driver choose.
    /// - Throws: ``OpenCLError/invalidArgument(_:)`` for sizes that the device or the kernel does not allow, since drivers crash
    ///   on them, or run them and give wrong results.
    public consuming func enqueue(on queue: Queue, global: [Int], local: [Int]?) throws(OpenCLError) {
        _ = try enqueue(queue, global, local, wantsEvent: false)
    }

    /// As ``enqueue(on:global:local:)``, with an event to wait for and to time.
    public consuming func run(on queue: Queue, global: [Int], local: [Int]?) throws(OpenCLError) -> Event {
        guard let event = try enqueue(queue, global, local, wantsEvent: true) else {
            throw .failed(function: "clEnqueueNDRangeKernel", status: .outOfResources, context: "no event")
        }
        return Event(event, queue)
    }

    private func enqueue(
        _ queue: Queue, _ global: [Int], _ local: [Int]?, wantsEvent: Bool
    ) throws(OpenCLError) -> cl_event? {
        try queue.context.checkUsable()
        if let failure { throw failure }
        guard Int(index) == kernel.argumentCount else {
            throw .invalidArgument("\(kernel.name) takes \(kernel.argumentCount) arguments, not \(index)")
        }
        try checkSizes(global, local)
        let functions = kernel.context.functions
        let enqueue = try functions.require(functions.enqueueNDRangeKernel, "clEnqueueNDRangeKernel")
        var event: cl_event?
        let status =
            wantsEvent
            ? enqueue(queue.handle, kernel.handle, cl_uint(global.count), nil, global, local, 0, nil, &event)
            : enqueue(queue.handle, kernel.handle, cl_uint(global.count), nil, global, local, 0, nil, nil)
        try Status(rawValue: status).check(
            "clEnqueueNDRangeKernel", "\(kernel.name), global \(global), local \(local ?? [])")
        return event
    }

    private func checkSizes(_ global: [Int], _ local: [Int]?) throws(OpenCLError) {
        let info = kernel.context.device.info
        guard (1...3).contains(global.count), global.allSatisfy({ $0 > 0 }) else {
            throw .invalidArgument("\(kernel.name): a global size of \(global)")
        }
        // Some drivers cut larger ones to 32 bits.
        guard global.allSatisfy({ $0 <= Int(UInt32.max) }) else {
            throw .invalidArgument("\(kernel.name): a global size of \(global) is beyond 32 bits")
        }
        let (memory, overflow) = kernel.localMemory.addingReportingOverflow(dynamicLocalMemory)
        guard !overflow, memory <= info.localMemory else {
            throw .invalidArgument("\(kernel.name): \(memory) bytes of local memory of \(info.localMemory)")
        }
        guard let local else { return }
        guard local.count == global.count, local.allSatisfy({ $0 > 0 }) else {
            throw .invalidArgument("\(kernel.name): a local size of \(local) for a global size of \(global)")
        }
        for (axis, size) in local.enumerated() {
            let most = axis < info.maxWorkItemSizes.count ? info.maxWorkItemSizes[axis] : info.maxWorkGroupSize
            guard global[axis].isMultiple(of: size), size <= most else {
                throw .invalidArgument(
                    "\(kernel.name): local size \(local) for \(global), at most \(info.maxWorkItemSizes)")
            }
        }
        let items = local.reduce(1) { $0.multipliedReportingOverflow(by: $1).partialValue }
        guard items <= min(kernel.workGroupSize, info.maxWorkGroupSize) else {
            throw .invalidArgument("\(kernel.name): \(items) work-items in a group, at most \(kernel.workGroupSize)")
        }
    }
}
