import COpenCL
import Synchronization

/// Kernels built for one device.
///
/// `@unchecked Sendable`: the handle never changes, and idle kernels are behind a lock.
public final class Program: @unchecked Sendable {
    public let context: Context
    let handle: cl_program
    /// Setting arguments is not safe from two threads: a kernel object belongs to one caller at a time.
    private let idleKernels = Mutex<[String: [Kernel]]>([:])

    /// Compiles text. Calls `clCreateProgramWithSource` and `clBuildProgram`.
    ///
    /// - Throws: ``OpenCLError/buildFailed(log:options:status:)`` with the compiler's log.
    public init(context: Context, source: SourceText, options: BuildOptions = .init()) throws(OpenCLError) {
        try context.checkUsable()
        let create = try context.functions.require(
            context.functions.createProgramWithSource, "clCreateProgramWithSource")
        var status: cl_int = 0
        let handle = source.text.withCString { text in
            var lines: UnsafePointer<CChar>? = text
            return create(context.handle, 1, &lines, nil, &status)
        }
        try Status(rawValue: status).check("clCreateProgramWithSource")
        guard let handle else {
            throw .failed(function: "clCreateProgramWithSource", status: .outOfHostMemory, context: "no program")
        }
        self.context = context
        self.handle = handle
        try build(options)
    }

    /// Loads what ``binary()`` gave. The driver trusts it: check where it came from. Calls `clCreateProgramWithBinary`.
    public init(context: Context, binary: [UInt8], options: BuildOptions = .init()) throws(OpenCLError) {
        try context.checkUsable()
        let create = try context.functions.require(
            context.functions.createProgramWithBinary, "clCreateProgramWithBinary")
        var status: cl_int = 0
        var binaryStatus: cl_int = 0
        var device: [cl_device_id?] = [context.device.id]
        var length = binary.count
        let handle = binary.withUnsafeBufferPointer { bytes in
            var start = bytes.baseAddress
            return create(context.handle, 1, &device, &length, &start, &binaryStatus, &status)
        }
        self.context = context
        guard let handle, status == 0, binaryStatus == 0 else {
            if let handle { _ = context.functions.releaseProgram?(handle) }
            let failure = Status(rawValue: status != 0 ? status : binaryStatus)
            throw .failed(function: "clCreateProgramWithBinary", status: failure, context: "\(binary.count) bytes")
        }
        self.handle = handle
        try build(options)
    }

    deinit { if context.isUsable { _ = context.functions.releaseProgram?(handle) } }

    /// The device's code, to load again. Calls `clGetProgramInfo`.
    public func binary() throws(OpenCLError) -> [UInt8] {
        let get = try context.functions.require(context.functions.getProgramInfo, "clGetProgramInfo")
        let handle = handle
        let query = InfoQuery(function: "clGetProgramInfo") { get(handle, $0, $1, $2, $3) }
        let devices: cl_uint = try query.value(CL_PROGRAM_NUM_DEVICES, 0)
        guard devices == 1 else { throw .invalidArgument("a program of \(devices) devices has no single binary") }
        let size: Int = try query.value(CL_PROGRAM_BINARY_SIZES, 0)
        guard size > 0 else { throw .invalidArgument("the driver gives no binary") }
        var bytes = [UInt8](repeating: 0, count: size)
        let status = bytes.withUnsafeMutableBufferPointer { buffer in
            var start = buffer.baseAddress
            return get(
                handle, cl_program_info(CL_PROGRAM_BINARIES), MemoryLayout<UnsafePointer<UInt8>>.size, &start, nil)
        }
        try Status(rawValue: status).check("clGetProgramInfo", "binaries")
        return bytes
    }

    /// Lends a kernel object to `body`, which nobody else uses meanwhile.
    public func withKernel<Result>(
        _ name: String, _ body: (Kernel) throws(OpenCLError) -> Result
    ) throws(OpenCLError) -> Result {
        try context.checkUsable()
        let idle = idleKernels.withLock { $0[name]?.popLast() }
        let kernel: Kernel
        if let idle { kernel = idle } else { kernel = try Kernel(name, of: self) }
        defer { idleKernels.withLock { $0[name, default: []].append(kernel) } }
        return try body(kernel)
    }

    private func build(_ options: BuildOptions) throws(OpenCLError) {
        let build = try context.functions.require(context.functions.buildProgram, "clBuildProgram")
        var device: [cl_device_id?] = [context.device.id]
        let status = Status(rawValue: build(handle, 1, &device, options.description, nil, nil))
        if status != .success { throw .buildFailed(log: log(), options: options.description, status: status) }
    }

    private func log() -> String {
        guard let get = context.functions.getProgramBuildInfo else { return "" }
        let (handle, device) = (handle, context.device.id)
        let query = InfoQuery(function: "clGetProgramBuildInfo") { get(handle, device, $0, $1, $2, $3) }
        return (try? query.text(CL_PROGRAM_BUILD_LOG)) ?? ""
    }
}
