import COpenCL

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Every OpenCL function this package calls, looked up by name. One that the loader lacks is `nil`, and calling it a typed error.
struct FunctionTable {
    /// A callback that this package never passes.
    typealias Unused = @convention(c) () -> Void

    let getPlatformIDs:
        (
            @convention(c) (
                cl_uint, UnsafeMutablePointer<cl_platform_id?>?, UnsafeMutablePointer<cl_uint>?
            ) -> cl_int
        )?
    let getPlatformInfo:
        (
            @convention(c) (
                cl_platform_id?, cl_platform_info, Int, UnsafeMutableRawPointer?, UnsafeMutablePointer<Int>?
            ) -> cl_int
        )?
    let getDeviceIDs:
        (
            @convention(c) (
                cl_platform_id?, cl_device_type, cl_uint, UnsafeMutablePointer<cl_device_id?>?,
                UnsafeMutablePointer<cl_uint>?
            ) -> cl_int
        )?
    let getDeviceInfo:
        (
            @convention(c) (
                cl_device_id?, cl_device_info, Int, UnsafeMutableRawPointer?, UnsafeMutablePointer<Int>?
            ) -> cl_int
        )?
    let createContext:
        (
            @convention(c) (
                UnsafePointer<cl_context_properties>?, cl_uint, UnsafePointer<cl_device_id?>?, Unused?,
                UnsafeMutableRawPointer?, UnsafeMutablePointer<cl_int>?
            ) -> cl_context?
        )?
    let retainContext:
        (
            @convention(c) (
                cl_context?
            ) -> cl_int
        )?
    let releaseContext:
        (
            @convention(c) (
                cl_context?
            ) -> cl_int
        )?
    let createCommandQueue:
        (
            @convention(c) (
                cl_context?, cl_device_id?, cl_command_queue_properties, UnsafeMutablePointer<cl_int>?
            ) -> cl_command_queue?
        )?
    let retainCommandQueue:
        (
            @convention(c) (
                cl_command_queue?
            ) -> cl_int
        )?
    let releaseCommandQueue:
        (
            @convention(c) (
                cl_command_queue?
            ) -> cl_int
        )?
    let flush:
        (
            @convention(c) (
                cl_command_queue?
            ) -> cl_int
        )?
    let finish:
        (
            @convention(c) (
                cl_command_queue?
            ) -> cl_int
        )?
    let createBuffer:
        (
            @convention(c) (
                cl_context?, cl_mem_flags, Int, UnsafeMutableRawPointer?, UnsafeMutablePointer<cl_int>?
            ) -> cl_mem?
        )?
    let createSubBuffer:
        (
            @convention(c) (
                cl_mem?, cl_mem_flags, cl_buffer_create_type, UnsafeRawPointer?, UnsafeMutablePointer<cl_int>?
            ) -> cl_mem?
        )?
    let retainMemObject:
        (
            @convention(c) (
                cl_mem?
            ) -> cl_int
        )?
    let releaseMemObject:
        (
            @convention(c) (
                cl_mem?
            ) -> cl_int
        )?
    let getMemObjectInfo:
        (
            @convention(c) (
                cl_mem?, cl_mem_info, Int, UnsafeMutableRawPointer?, UnsafeMutablePointer<Int>?
            ) -> cl_int
        )?
    let enqueueReadBuffer:
        (
            @convention(c) (
                cl_command_queue?, cl_mem?, cl_bool, Int, Int, UnsafeMutableRawPointer?, cl_uint,
                UnsafePointer<cl_event?>?, UnsafeMutablePointer<cl_event?>?
            ) -> cl_int
        )?
    let enqueueWriteBuffer:
        (
            @convention(c) (
                cl_command_queue?, cl_mem?, cl_bool, Int, Int, UnsafeRawPointer?, cl_uint, UnsafePointer<cl_event?>?,
                UnsafeMutablePointer<cl_event?>?
            ) -> cl_int
        )?
    let enqueueCopyBuffer:
        (
            @convention(c) (
                cl_command_queue?, cl_mem?, cl_mem?, Int, Int, Int, cl_uint, UnsafePointer<cl_event?>?,
                UnsafeMutablePointer<cl_event?>?
            ) -> cl_int
        )?
    let enqueueFillBuffer:
        (
            @convention(c) (
                cl_command_queue?, cl_mem?, UnsafeRawPointer?, Int, Int, Int, cl_uint, UnsafePointer<cl_event?>?,
                UnsafeMutablePointer<cl_event?>?
            ) -> cl_int
        )?
    let enqueueMapBuffer:
        (
            @convention(c) (
                cl_command_queue?, cl_mem?, cl_bool, cl_map_flags, Int, Int, cl_uint, UnsafePointer<cl_event?>?,
                UnsafeMutablePointer<cl_event?>?, UnsafeMutablePointer<cl_int>?
            ) -> UnsafeMutableRawPointer?
        )?
    let enqueueUnmapMemObject:
        (
            @convention(c) (
                cl_command_queue?, cl_mem?, UnsafeMutableRawPointer?, cl_uint, UnsafePointer<cl_event?>?,
                UnsafeMutablePointer<cl_event?>?
            ) -> cl_int
        )?
    let createProgramWithSource:
        (
            @convention(c) (
                cl_context?, cl_uint, UnsafeMutablePointer<UnsafePointer<CChar>?>?, UnsafePointer<Int>?,
                UnsafeMutablePointer<cl_int>?
            ) -> cl_program?
        )?
    let createProgramWithBinary:
        (
            @convention(c) (
                cl_context?, cl_uint, UnsafePointer<cl_device_id?>?, UnsafePointer<Int>?,
                UnsafeMutablePointer<UnsafePointer<UInt8>?>?, UnsafeMutablePointer<cl_int>?,
                UnsafeMutablePointer<cl_int>?
            ) -> cl_program?
        )?
    let buildProgram:
        (
            @convention(c) (
                cl_program?, cl_uint, UnsafePointer<cl_device_id?>?, UnsafePointer<CChar>?, Unused?,
                UnsafeMutableRawPointer?
            ) -> cl_int
        )?
    let getProgramInfo:
        (
            @convention(c) (
                cl_program?, cl_program_info, Int, UnsafeMutableRawPointer?, UnsafeMutablePointer<Int>?
            ) -> cl_int
        )?
    let getProgramBuildInfo:
        (
            @convention(c) (
                cl_program?, cl_device_id?, cl_program_build_info, Int, UnsafeMutableRawPointer?,
                UnsafeMutablePointer<Int>?
            ) -> cl_int
        )?
    let releaseProgram:
        (
            @convention(c) (
                cl_program?
            ) -> cl_int
        )?
    let createKernel:
        (
            @convention(c) (
                cl_program?, UnsafePointer<CChar>?, UnsafeMutablePointer<cl_int>?
            ) -> cl_kernel?
        )?
    let releaseKernel:
        (
            @convention(c) (
                cl_kernel?
            ) -> cl_int
        )?
    let setKernelArg:
        (
            @convention(c) (
                cl_kernel?, cl_uint, Int, UnsafeRawPointer?
            ) -> cl_int
        )?
    let getKernelInfo:
        (
            @convention(c) (
                cl_kernel?, cl_kernel_info, Int, UnsafeMutableRawPointer?, UnsafeMutablePointer<Int>?
            ) -> cl_int
        )?
    let getKernelWorkGroupInfo:
        (
            @convention(c) (
                cl_kernel?, cl_device_id?, cl_kernel_work_group_info, Int, UnsafeMutableRawPointer?,
                UnsafeMutablePointer<Int>?
            ) -> cl_int
        )?
    let enqueueNDRangeKernel:
        (
            @convention(c) (
                cl_command_queue?, cl_kernel?, cl_uint, UnsafePointer<Int>?, UnsafePointer<Int>?, UnsafePointer<Int>?,
                cl_uint, UnsafePointer<cl_event?>?, UnsafeMutablePointer<cl_event?>?
            ) -> cl_int
        )?
    let waitForEvents:
        (
            @convention(c) (
                cl_uint, UnsafePointer<cl_event?>?
            ) -> cl_int
        )?
    let getEventInfo:
        (
            @convention(c) (
                cl_event?, cl_event_info, Int, UnsafeMutableRawPointer?, UnsafeMutablePointer<Int>?
            ) -> cl_int
        )?
    let getEventProfilingInfo:
        (
            @convention(c) (
                cl_event?, cl_profiling_info, Int, UnsafeMutableRawPointer?, UnsafeMutablePointer<Int>?
            ) -> cl_int
        )?
    let releaseEvent:
        (
            @convention(c) (
                cl_event?
            ) -> cl_int
        )?

    init(_ library: UnsafeMutableRawPointer) {
        func find<Function>(_ name: String) -> Function? {
            dlsym(library, name).map { unsafeBitCast($0, to: Function.self) }
        }
        getPlatformIDs = find("clGetPlatformIDs")
        getPlatformInfo = find("clGetPlatformInfo")
        getDeviceIDs = find("clGetDeviceIDs")
        getDeviceInfo = find("clGetDeviceInfo")
        createContext = find("clCreateContext")
        retainContext = find("clRetainContext")
        releaseContext = find("clReleaseContext")
        createCommandQueue = find("clCreateCommandQueue")
        retainCommandQueue = find("clRetainCommandQueue")
        releaseCommandQueue = find("clReleaseCommandQueue")
        flush = find("clFlush")
        finish = find("clFinish")
        createBuffer = find("clCreateBuffer")
        createSubBuffer = find("clCreateSubBuffer")
        retainMemObject = find("clRetainMemObject")
        releaseMemObject = find("clReleaseMemObject")
        getMemObjectInfo = find("clGetMemObjectInfo")
        enqueueReadBuffer = find("clEnqueueReadBuffer")
        enqueueWriteBuffer = find("clEnqueueWriteBuffer")
        enqueueCopyBuffer = find("clEnqueueCopyBuffer")
        enqueueFillBuffer = find("clEnqueueFillBuffer")
        enqueueMapBuffer = find("clEnqueueMapBuffer")
        enqueueUnmapMemObject = find("clEnqueueUnmapMemObject")
        createProgramWithSource = find("clCreateProgramWithSource")
        createProgramWithBinary = find("clCreateProgramWithBinary")
        buildProgram = find("clBuildProgram")
        getProgramInfo = find("clGetProgramInfo")
        getProgramBuildInfo = find("clGetProgramBuildInfo")
        releaseProgram = find("clReleaseProgram")
        createKernel = find("clCreateKernel")
        releaseKernel = find("clReleaseKernel")
        setKernelArg = find("clSetKernelArg")
        getKernelInfo = find("clGetKernelInfo")
        getKernelWorkGroupInfo = find("clGetKernelWorkGroupInfo")
        enqueueNDRangeKernel = find("clEnqueueNDRangeKernel")
        waitForEvents = find("clWaitForEvents")
        getEventInfo = find("clGetEventInfo")
        getEventProfilingInfo = find("clGetEventProfilingInfo")
        releaseEvent = find("clReleaseEvent")
    }

    func require<Function>(_ function: Function?, _ name: String) throws(OpenCLError) -> Function {
        guard let function else { throw .missingFunction(name) }
        return function
    }
}
