import COpenCL

/// One device of a platform (`cl_device_id`) with what it reports about itself.
///
/// Unchecked: a root device is never freed, a part is released with this object, and the rest is immutable.
public final class Device: @unchecked Sendable {
    public let platform: Platform
    /// What the device reported when it was listed.
    public let info: DeviceInfo
    /// Why no kernel can run here, or nil.
    public let unsuitability: Unsuitability?
    let id: OpaquePointer
    /// Made by ``split(_:)``: released with this object.
    private let isPart: Bool

    public var name: String { info.name }
    public var library: OpenCLLibrary { platform.library }
    /// The `cl_device_id`, for code that calls OpenCL itself.
    public var unsafeHandle: OpaquePointer { id }

    init(id: OpaquePointer, platform: Platform, isPart: Bool = false) {
        self.id = id
        self.isPart = isPart
        self.platform = platform
        let reader = InfoReader(library: platform.library, function: platform.library.table.getDeviceInfo, object: id)
        info = DeviceInfo(reader)
        unsuitability = Unsuitability(info)
    }

    deinit { if isPart { library.release(id, with: library.table.releaseDevice) } }

    /// A device a caller already has. Nothing is retained: root devices live as long as the process.
    ///
    /// - Parameters:
    ///   - handle: A valid `cl_device_id` from the same loader.
    ///   - library: The loader to call.
    public convenience init(wrapping handle: OpaquePointer, library: OpenCLLibrary) throws(OpenCLError) {
        let reader = InfoReader(library: library, function: library.table.getDeviceInfo, object: handle)
        guard let platform = try reader.handle(CL_DEVICE_PLATFORM) else {
            throw .invalidArgument(operation: "wrapping a device", reason: "the device names no platform")
        }
        self.init(id: handle, platform: Platform(library: library, id: platform))
    }

    /// `CL_DEVICE_MAX_MEM_ALLOC_SIZE` as of now: some drivers derive it from the memory that is free.
    func currentAllocationLimit() -> Int {
        let reader = InfoReader(library: library, function: library.table.getDeviceInfo, object: id)
        return Int(clamping: reader.optional(CL_DEVICE_MAX_MEM_ALLOC_SIZE, 0 as cl_ulong))
    }
}

extension Device: Hashable {
    public static func == (left: Device, right: Device) -> Bool { left.id == right.id }
    public func hash(into hasher: inout Hasher) { hasher.combine(id) }
}

/// Why a device that is listed cannot run kernels.
public enum Unsuitability: Hashable, Sendable, CustomStringConvertible {
    /// `CL_DEVICE_AVAILABLE` is false.
    case notAvailable
    /// `CL_DEVICE_COMPILER_AVAILABLE` is false.
    case noCompiler
    /// The device reports no memory, or allocates none.
    case noMemory
    /// The device reports a work-group of no work-items.
    case noWorkGroups
    /// The device does not answer the queries every device must.
    case doesNotAnswer

    init?(_ info: DeviceInfo) {
        if !info.answers {
            self = .doesNotAnswer
        } else if !info.isAvailable {
            self = .notAvailable
        } else if !info.hasCompiler {
            self = .noCompiler
        } else if info.globalMemoryBytes <= 0 || info.maxAllocationBytes <= 0 {
            self = .noMemory
        } else if info.maxWorkGroupSize < 1 {
            self = .noWorkGroups
        } else {
            return nil
        }
    }

    public var description: String {
        switch self {
        case .notAvailable: "the device is not available"
        case .noCompiler: "the driver has no compiler"
        case .noMemory: "the device reports no memory"
        case .noWorkGroups: "the device reports a largest work-group of 0"
        case .doesNotAnswer: "the driver does not answer queries about the device"
        }
    }
}
