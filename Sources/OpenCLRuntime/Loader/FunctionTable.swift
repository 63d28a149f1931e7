import COpenCL

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// One function of the loader: its C name and its address, nil where the loader lacks it.
struct Function<Signature: Sendable>: Sendable {
    let name: String
    let pointer: Signature?

    init(_ name: String, in library: UnsafeMutableRawPointer) {
        self.name = name
        pointer = dlsym(library, name).map { unsafeBitCast($0, to: Signature.self) }
    }
}

/// Every OpenCL function this package calls, looked up by name in the loader that was opened.
///
/// Nothing is linked, so a machine without OpenCL still starts; a function an old loader lacks is nil here
/// and becomes ``OpenCLError/missingFunction(name:library:)`` when it is called.
struct FunctionTable: Sendable {
    typealias Handle = OpaquePointer?
    typealias Count = UnsafeMutablePointer<cl_uint>?
    typealias StatusOut = UnsafeMutablePointer<cl_int>?
    typealias WaitList = UnsafePointer<cl_event?>?
    typealias EventOut = UnsafeMutablePointer<cl_event?>?
    typealias Sizes = UnsafePointer<Int>?
    typealias Devices = UnsafePointer<cl_device_id?>?

    typealias Info =
        @Sendable @convention(c) (Handle, cl_uint, Int, UnsafeMutableRawPointer?, UnsafeMutablePointer<Int>?) -> cl_int
    typealias DeviceInfo =
        @Sendable @convention(c) (
            Handle, Handle, cl_uint, Int, UnsafeMutableRawPointer?, UnsafeMutablePointer<Int>?
        ) -> cl_int
    typealias Single = @Sendable @convention(c) (Handle) -> cl_int
    typealias GetPlatforms =
        @Sendable @convention(c) (cl_uint, UnsafeMutablePointer<cl_platform_id?>?, Count) -> cl_int
    typealias GetDevices =
        @Sendable @convention(c) (
            Handle, cl_device_type, cl_uint, UnsafeMutablePointer<cl_device_id?>?, Count
        ) -> cl_int
    typealias CreateSubDevices =
        @Sendable @convention(c) (
            Handle, UnsafePointer<Int>?, cl_uint, UnsafeMutablePointer<cl_device_id?>?, Count
        ) -> cl_int
    typealias CreateContext =
        @Sendable @convention(c) (
            UnsafePointer<cl_context_properties>?, cl_uint, Devices,
            (@convention(c) (UnsafePointer<CChar>?, UnsafeRawPointer?, Int, UnsafeMutableRawPointer?) -> Void)?,
            UnsafeMutableRawPointer?, StatusOut
        ) -> cl_context?
    typealias CreateQueue =
        @Sendable @convention(c) (Handle, Handle, cl_command_queue_properties, StatusOut) -> cl_command_queue?
    typealias CreateQueueWithProperties =
        @Sendable @convention(c) (Handle, Handle, UnsafePointer<cl_ulong>?, StatusOut) -> cl_command_queue?
    typealias CreateBuffer =
        @Sendable @convention(c) (Handle, cl_mem_flags, Int, UnsafeMutableRawPointer?, StatusOut) -> cl_mem?
    typealias CreateSubBuffer =
        @Sendable @convention(c) (Handle, cl_mem_flags, cl_uint, UnsafeRawPointer?, StatusOut) -> cl_mem?
    typealias DestructorCallback = @convention(c) (cl_mem?, UnsafeMutableRawPointer?) -> Void
    typealias SetDestructor =
        @Sendable @convention(c) (Handle, DestructorCallback?, UnsafeMutableRawPointer?) -> cl_int
    typealias ReadBuffer =
        @Sendable @convention(c) (
            Handle, Handle, cl_bool, Int, Int, UnsafeMutableRawPointer?, cl_uint, WaitList, EventOut
        ) -> cl_int
    typealias WriteBuffer =
        @Sendable @convention(c) (
            Handle, Handle, cl_bool, Int, Int, UnsafeRawPointer?, cl_uint, WaitList, EventOut
        ) -> cl_int
    typealias FillBuffer =
        @Sendable @convention(c) (
            Handle, Handle, UnsafeRawPointer?, Int, Int, Int, cl_uint, WaitList, EventOut
        ) -> cl_int
    typealias CopyBuffer =
        @Sendable @convention(c) (Handle, Handle, Handle, Int, Int, Int, cl_uint, WaitList, EventOut) -> cl_int
    typealias CopyRect =
        @Sendable @convention(c) (
            Handle, Handle, Handle, Sizes, Sizes, Sizes, Int, Int, Int, Int, cl_uint, WaitList, EventOut
        ) -> cl_int
    typealias MapBuffer =
        @Sendable @convention(c) (
            Handle, Handle, cl_bool, cl_map_flags, Int, Int, cl_uint, WaitList, EventOut, StatusOut
        ) -> UnsafeMutableRawPointer?
    typealias Unmap =
        @Sendable @convention(c) (Handle, Handle, UnsafeMutableRawPointer?, cl_uint, WaitList, EventOut) -> cl_int
    typealias CreateWithSource =
        @Sendable @convention(c) (
            Handle, cl_uint, UnsafeMutablePointer<UnsafePointer<CChar>?>?, Sizes, StatusOut
        ) -> cl_program?
    typealias CreateWithBinary =
        @Sendable @convention(c) (
            Handle, cl_uint, Devices, Sizes, UnsafeMutablePointer<UnsafePointer<UInt8>?>?,
            UnsafeMutablePointer<cl_int>?, StatusOut
        ) -> cl_program?
    typealias Build =
        @Sendable @convention(c) (
            Handle, cl_uint, Devices, UnsafePointer<CChar>?,
            (@convention(c) (cl_program?, UnsafeMutableRawPointer?) -> Void)?, UnsafeMutableRawPointer?
        ) -> cl_int
    typealias CreateKernel = @Sendable @convention(c) (Handle, UnsafePointer<CChar>?, StatusOut) -> cl_kernel?
    typealias SetKernelArg = @Sendable @convention(c) (Handle, cl_uint, Int, UnsafeRawPointer?) -> cl_int
    typealias EnqueueKernel =
        @Sendable @convention(c) (
            Handle, Handle, cl_uint, Sizes, Sizes, Sizes, cl_uint, WaitList, EventOut
        ) -> cl_int
    typealias Marker = @Sendable @convention(c) (Handle, cl_uint, WaitList, EventOut) -> cl_int
    typealias WaitForEvents = @Sendable @convention(c) (cl_uint, WaitList) -> cl_int

    let getPlatformIDs: Function<GetPlatforms>
    let getPlatformInfo: Function<Info>
    let getDeviceIDs: Function<GetDevices>
    let getDeviceInfo: Function<Info>
    let createSubDevices: Function<CreateSubDevices>
    let releaseDevice: Function<Single>
    let createContext: Function<CreateContext>
    let retainContext: Function<Single>
    let releaseContext: Function<Single>
    let getContextInfo: Function<Info>
    let createCommandQueue: Function<CreateQueue>
    let createCommandQueueWithProperties: Function<CreateQueueWithProperties>
    let retainCommandQueue: Function<Single>
    let releaseCommandQueue: Function<Single>
    let getCommandQueueInfo: Function<Info>
    let flush: Function<Single>
    let finish: Function<Single>
    let createBuffer: Function<CreateBuffer>
    let createSubBuffer: Function<CreateSubBuffer>
    let retainMemObject: Function<Single>
    let releaseMemObject: Function<Single>
    let getMemObjectInfo: Function<Info>
    let setMemObjectDestructorCallback: Function<SetDestructor>
    let enqueueReadBuffer: Function<ReadBuffer>
    let enqueueWriteBuffer: Function<WriteBuffer>
    let enqueueFillBuffer: Function<FillBuffer>
    let enqueueCopyBuffer: Function<CopyBuffer>
    let enqueueCopyBufferRect: Function<CopyRect>
    let enqueueMapBuffer: Function<MapBuffer>
    let enqueueUnmapMemObject: Function<Unmap>
    let createProgramWithSource: Function<CreateWithSource>
    let createProgramWithBinary: Function<CreateWithBinary>
    let releaseProgram: Function<Single>
    let buildProgram: Function<Build>
    let getProgramInfo: Function<Info>
    let getProgramBuildInfo: Function<DeviceInfo>
    let createKernel: Function<CreateKernel>
    let releaseKernel: Function<Single>
    let setKernelArg: Function<SetKernelArg>
    let getKernelInfo: Function<Info>
    let getKernelWorkGroupInfo: Function<DeviceInfo>
    let enqueueNDRangeKernel: Function<EnqueueKernel>
    let enqueueMarkerWithWaitList: Function<Marker>
    let waitForEvents: Function<WaitForEvents>
    let getEventInfo: Function<Info>
    let getEventProfilingInfo: Function<Info>
    let releaseEvent: Function<Single>

    init(library: UnsafeMutableRawPointer) {
        getPlatformIDs = Function("clGetPlatformIDs", in: library)
        getPlatformInfo = Function("clGetPlatformInfo", in: library)
        getDeviceIDs = Function("clGetDeviceIDs", in: library)
        getDeviceInfo = Function("clGetDeviceInfo", in: library)
        createSubDevices = Function("clCreateSubDevices", in: library)
        releaseDevice = Function("clReleaseDevice", in: library)
        createContext = Function("clCreateContext", in: library)
        retainContext = Function("clRetainContext", in: library)
        releaseContext = Function("clReleaseContext", in: library)
        getContextInfo = Function("clGetContextInfo", in: library)
        createCommandQueue = Function("clCreateCommandQueue", in: library)
        createCommandQueueWithProperties = Function("clCreateCommandQueueWithProperties", in: library)
        retainCommandQueue = Function("clRetainCommandQueue", in: library)
        releaseCommandQueue = Function("clReleaseCommandQueue", in: library)
        getCommandQueueInfo = Function("clGetCommandQueueInfo", in: library)
        flush = Function("clFlush", in: library)
        finish = Function("clFinish", in: library)
        createBuffer = Function("clCreateBuffer", in: library)
        createSubBuffer = Function("clCreateSubBuffer", in: library)
        retainMemObject = Function("clRetainMemObject", in: library)
        releaseMemObject = Function("clReleaseMemObject", in: library)
        getMemObjectInfo = Function("clGetMemObjectInfo", in: library)
        setMemObjectDestructorCallback = Function("clSetMemObjectDestructorCallback", in: library)
        enqueueReadBuffer = Function("clEnqueueReadBuffer", in: library)
        enqueueWriteBuffer = Function("clEnqueueWriteBuffer", in: library)
        enqueueFillBuffer = Function("clEnqueueFillBuffer", in: library)
        enqueueCopyBuffer = Function("clEnqueueCopyBuffer", in: library)
        enqueueCopyBufferRect = Function("clEnqueueCopyBufferRect", in: library)
        enqueueMapBuffer = Function("clEnqueueMapBuffer", in: library)
        enqueueUnmapMemObject = Function("clEnqueueUnmapMemObject", in: library)
        createProgramWithSource = Function("clCreateProgramWithSource", in: library)
        createProgramWithBinary = Function("clCreateProgramWithBinary", in: library)
        releaseProgram = Function("clReleaseProgram", in: library)
        buildProgram = Function("clBuildProgram", in: library)
        getProgramInfo = Function("clGetProgramInfo", in: library)
        getProgramBuildInfo = Function("clGetProgramBuildInfo", in: library)
        createKernel = Function("clCreateKernel", in: library)
        releaseKernel = Function("clReleaseKernel", in: library)
        setKernelArg = Function("clSetKernelArg", in: library)
        getKernelInfo = Function("clGetKernelInfo", in: library)
        getKernelWorkGroupInfo = Function("clGetKernelWorkGroupInfo", in: library)
        enqueueNDRangeKernel = Function("clEnqueueNDRangeKernel", in: library)
        enqueueMarkerWithWaitList = Function("clEnqueueMarkerWithWaitList", in: library)
        waitForEvents = Function("clWaitForEvents", in: library)
        getEventInfo = Function("clGetEventInfo", in: library)
        getEventProfilingInfo = Function("clGetEventProfilingInfo", in: library)
        releaseEvent = Function("clReleaseEvent", in: library)
    }
}
