import COpenCL

/// A kernel of a program (`cl_kernel`): launched by one thread at a time, so not `Sendable`.
///
/// ``Program/withKernel(_:_:)`` lends each thread its own.
public struct Kernel {
    let state: KernelState

    public var name: String { state.name }
    /// How many arguments it takes (`CL_KERNEL_NUM_ARGS`).
    public var argumentCount: Int { state.argumentCount }
    /// The largest work-group it runs with on its device (`CL_KERNEL_WORK_GROUP_SIZE`).
    public var maxWorkGroupSize: Int { state.maxWorkGroupSize }
    /// `CL_KERNEL_PREFERRED_WORK_GROUP_SIZE_MULTIPLE`.
    public var preferredWorkGroupMultiple: Int { state.preferredWorkGroupMultiple }
    /// Bytes of local memory it declares itself, without arguments.
    public var localMemoryBytes: Int { state.localMemoryBytes }
    /// Bytes of private memory of one work-item; 0 where the driver does not tell.
    public var privateMemoryBytes: Int { state.privateMemoryBytes }
    /// What `reqd_work_group_size` in its text asks for, or nil.
    public var requiredWorkGroup: WorkSize? { state.requiredWorkGroup }

    /// Begins a launch: name the arguments in order, then run it.
    public func launch() -> Launch { Launch(state, lender: nil) }
}

@available(*, unavailable, message: "clSetKernelArg is not thread-safe: use Program.withKernel")
extension Kernel: Sendable {}

/// Sizes along x, y and z, in work-items.
public struct WorkSize: Hashable, Sendable, CustomStringConvertible {
    public var x: Int
    public var y: Int
    public var z: Int

    public init(_ x: Int, _ y: Int = 1, _ z: Int = 1) {
        self.x = x
        self.y = y
        self.z = z
    }

    public var description: String { "(\(x), \(y), \(z))" }

    /// The number of work-items, or nil where it does not fit.
    var count: Int? { Bounds.product(x, y, z) }
    var isPositive: Bool { x > 0 && y > 0 && z > 0 }
}

/// The kernel object and its limits.
///
/// Unchecked: one holder at a time, either a `Kernel`, which is not `Sendable`, or a program's locked list of idle ones.
final class KernelState: @unchecked Sendable {
    let name: String
    let library: OpenCLLibrary
    /// For comparing only. The driver keeps program and context alive as long as the kernel; a reference to the
    /// `Program` would be a circle, since idle kernels wait there.
    let contextHandle: OpaquePointer
    let handle: OpaquePointer
    let argumentCount: Int
    let maxWorkGroupSize: Int
    let preferredWorkGroupMultiple: Int
    let localMemoryBytes: Int
    let privateMemoryBytes: Int
    let requiredWorkGroup: WorkSize?
    /// Largest work-group along each side, and of the device as a whole.
    let maxSides: WorkSize
    let localMemoryLimit: Int
    /// The buffers of the launch being made. OpenCL does not retain an argument until it is enqueued.
    var held: [Buffer?]

    init(name: String, program: Program) throws(OpenCLError) {
        let library = program.library
        let function = library.table.createKernel
        let call = try library(function)
        var status: cl_int = 0
        let created = call(program.handle, name, &status)
        try library.check(status, function, "\(name) of \(program.name)")
        guard let created else {
            throw .callFailed(function: function.name, status: .outOfHostMemory, context: "no kernel came back")
        }
        let reader = InfoReader(library: library, function: library.table.getKernelInfo, object: created)
        let device = program.device
        let group = { (parameter: Int32, initial: cl_ulong) -> Int in
            // Sizes are size_t or cl_ulong: both 8 bytes on every 64-bit host.
            guard let call = library.table.getKernelWorkGroupInfo.pointer else { return Int(initial) }
            var value: cl_ulong = initial
            let status = call(created, device.id, cl_uint(bitPattern: parameter), 8, &value, nil)
            return Int(clamping: status == CL_SUCCESS ? value : initial)
        }
        do throws(OpenCLError) {
            argumentCount = Int(try reader.value(CL_KERNEL_NUM_ARGS, 0 as cl_uint))
        } catch {
            library.release(created, with: library.table.releaseKernel)
            throw error
        }
        let sides = device.info.maxWorkItemSizes
        handle = created
        self.name = name
        self.library = library
        contextHandle = program.contextHandle
        maxWorkGroupSize = min(
            device.info.maxWorkGroupSize, group(CL_KERNEL_WORK_GROUP_SIZE, cl_ulong(device.info.maxWorkGroupSize)))
        preferredWorkGroupMultiple = group(CL_KERNEL_PREFERRED_WORK_GROUP_SIZE_MULTIPLE, 1)
        localMemoryBytes = group(CL_KERNEL_LOCAL_MEM_SIZE, 0)
        privateMemoryBytes = group(CL_KERNEL_PRIVATE_MEM_SIZE, 0)
        maxSides = WorkSize(sides[0], sides[1], sides[2])
        localMemoryLimit = device.info.localMemoryBytes
        held = [Buffer?](repeating: nil, count: argumentCount)
        var required = (0, 0, 0)
        if let call = library.table.getKernelWorkGroupInfo.pointer {
            let size = MemoryLayout.size(ofValue: required)
            _ = call(created, device.id, cl_uint(CL_KERNEL_COMPILE_WORK_GROUP_SIZE), size, &required, nil)
        }
        requiredWorkGroup = required.0 > 0 ? WorkSize(required.0, required.1, required.2) : nil
    }

    deinit { library.release(handle, with: library.table.releaseKernel) }

    /// Forgets the buffers of the launch that ended. Some drivers keep an argument's memory alive until it is set anew,
    /// so an idle kernel would hold on to the largest buffers there are.
    func letGo() {
        guard let call = try? library(library.table.setKernelArg) else { return }
        var none: OpaquePointer?
        for position in held.indices where held[position] != nil {
            _ = call(handle, cl_uint(position), MemoryLayout<OpaquePointer?>.size, &none)
            held[position] = nil
        }
    }
}
