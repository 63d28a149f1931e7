import COpenCL
import Locking

/// A program built for one device (`cl_program`).
///
/// Unchecked: a program that is built does not change, and the lists of idle kernels have their locks.
public final class Program: @unchecked Sendable {
    /// Names the program in errors.
    public let name: String
    public let device: Device
    /// The option string it was built with.
    public let flags: String
    let handle: OpaquePointer
    /// For comparing only. The driver keeps the context alive as long as the program.
    let contextHandle: OpaquePointer
    private let entries = Guarded<[String: KernelEntry]>([:])

    var library: OpenCLLibrary { device.library }

    private init(name: String, handle: OpaquePointer, context: Context, flags: String) {
        self.name = name
        self.handle = handle
        self.flags = flags
        device = context.device
        contextHandle = context.handle
    }

    deinit { library.release(handle, with: library.table.releaseProgram) }

    /// Compiles a program, whatever any cache has (`clCreateProgramWithSource`, `clBuildProgram`). The calling thread
    /// blocks, typically for 0.2 to 1 s; a driver builds one program at a time, whatever contexts ask.
    ///
    /// - Throws: ``OpenCLError/buildFailed(status:program:device:flags:log:)`` with the compiler's log.
    public static func build(
        _ source: ProgramSource, options: BuildOptions = .standard, in context: Context
    ) throws(OpenCLError) -> Program {
        let library = context.library
        let function = library.table.createProgramWithSource
        let call = try library(function)
        var status: cl_int = 0
        var text = source.text
        let created = text.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) { characters in
                var pointer: UnsafePointer<CChar>? = characters.baseAddress
                var length = characters.count
                return call(context.handle, 1, &pointer, &length, &status)
            }
        }
        try library.check(status, function, source.name)
        guard let created else {
            throw .callFailed(function: function.name, status: .outOfHostMemory, context: "no program came back")
        }
        let program = Program(name: source.name, handle: created, context: context, flags: options.flags)
        try program.build()
        return program
    }

    /// As above, from a text and the headers it includes.
    public static func build(
        name: String, source: String, headers: [String: String] = [:], options: BuildOptions = .standard,
        in context: Context
    ) throws(OpenCLError) -> Program {
        try build(try ProgramSource(name: name, source: source, headers: headers), options: options, in: context)
    }

    /// A program from what ``binary()`` gave (`clCreateProgramWithBinary`).
    ///
    /// Drivers crash on bytes that are not their own: hand over only what is known to be as it was written.
    public static func load(
        binary: [UInt8], name: String, options: BuildOptions = .standard, in context: Context
    ) throws(OpenCLError) -> Program {
        guard !binary.isEmpty else {
            throw .invalidArgument(operation: "loading \(name)", reason: "the binary is empty")
        }
        let library = context.library
        let function = library.table.createProgramWithBinary
        let call = try library(function)
        var status: cl_int = 0
        var binaryStatus: cl_int = 0
        var device: cl_device_id? = context.device.id
        let created = binary.withUnsafeBufferPointer { bytes in
            var pointer: UnsafePointer<UInt8>? = bytes.baseAddress
            var length = bytes.count
            return call(context.handle, 1, &device, &length, &pointer, &binaryStatus, &status)
        }
        guard let created, status == CL_SUCCESS else {
            let failure = Status(rawValue: status == CL_SUCCESS ? CL_INVALID_BINARY : status)
            throw .callFailed(function: function.name, status: failure, context: name)
        }
        // Owned from here on, so that it is released even where the driver took the object but not the bytes.
        let program = Program(name: name, handle: created, context: context, flags: options.flags)
        try library.check(binaryStatus, function, "\(name), \(binary.count) bytes")
        try program.build()
        return program
    }

    private func build() throws(OpenCLError) {
        let function = library.table.buildProgram
        let call = try library(function)
        var id: cl_device_id? = device.id
        let status = BuildTurn.wait(for: device.platform) { call(handle, 1, &id, flags, nil, nil) }
        guard status != CL_SUCCESS else { return }
        throw .buildFailed(
            status: Status(rawValue: status), program: name, device: device.name, flags: flags, log: buildLog())
    }

    /// What the compiler said, warnings too (`clGetProgramBuildInfo`); empty where the driver does not tell.
    public func buildLog() -> String {
        guard let call = try? library(library.table.getProgramBuildInfo) else { return "" }
        var size = 0
        guard call(handle, device.id, cl_uint(CL_PROGRAM_BUILD_LOG), 0, nil, &size) == CL_SUCCESS, size > 0 else {
            return ""
        }
        var bytes = [UInt8](repeating: 0, count: size)
        guard call(handle, device.id, cl_uint(CL_PROGRAM_BUILD_LOG), size, &bytes, nil) == CL_SUCCESS else { return "" }
        return text(bytes)
    }

    /// The names of the kernels in it (`CL_PROGRAM_KERNEL_NAMES`).
    public func kernelNames() throws(OpenCLError) -> [String] {
        let reader = InfoReader(library: library, function: library.table.getProgramInfo, object: handle)
        return try reader.string(CL_PROGRAM_KERNEL_NAMES).split(separator: ";").map(String.init).sorted()
    }

    /// The program as the driver keeps it for this device (`CL_PROGRAM_BINARIES`); empty where it keeps none.
    public func binary() throws(OpenCLError) -> [UInt8] {
        let reader = InfoReader(library: library, function: library.table.getProgramInfo, object: handle)
        let devices = try reader.array(CL_PROGRAM_DEVICES, of: 0 as Int)
        let sizes = try reader.array(CL_PROGRAM_BINARY_SIZES, of: 0 as Int)
        guard let index = devices.firstIndex(of: Int(bitPattern: device.id)), index < sizes.count else { return [] }
        guard sizes[index] > 0, sizes[index] <= 1 << 30 else { return [] }
        var result = [UInt8](repeating: 0, count: sizes[index])
        let call = try library(reader.function)
        let status = result.withUnsafeMutableBufferPointer { bytes in
            // A context the caller made can have more devices: null skips theirs.
            var pointers = [UnsafeMutablePointer<UInt8>?](repeating: nil, count: devices.count)
            pointers[index] = bytes.baseAddress
            return pointers.withUnsafeMutableBytes {
                call(handle, cl_uint(CL_PROGRAM_BINARIES), $0.count, $0.baseAddress, nil)
            }
        }
        try library.check(status, reader.function, "the binary of \(name)")
        return result
    }
}

extension Program {
    /// A new kernel (`clCreateKernel`), for one thread at a time.
    public func kernel(_ name: String) throws(OpenCLError) -> Kernel {
        Kernel(state: try KernelState(name: name, program: self))
    }

    /// Begins a launch with an idle kernel of that name, or a new one. Many threads may call this at once; each gets its
    /// own, because setting arguments is the one thing in OpenCL that is not thread-safe.
    public func launch(_ name: String) throws(OpenCLError) -> Launch { try entry(name).launch(self) }

    /// Lends a kernel to `body`, as ``launch(_:)`` does for one launch.
    ///
    ///     try program.withKernel("score") { (kernel) throws(OpenCLError) in … }
    public func withKernel<Result>(
        _ name: String, _ body: (Kernel) throws(OpenCLError) -> Result
    ) throws(OpenCLError) -> Result {
        let entry = entry(name)
        let state = try entry.borrow(self)
        defer { entry.giveBack(state) }
        return try body(Kernel(state: state))
    }

    func entry(_ name: String) -> KernelEntry {
        entries.withLock { known in
            if let entry = known[name] { return entry }
            let entry = KernelEntry(name: name)
            known[name] = entry
            return entry
        }
    }
}
