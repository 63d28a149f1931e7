import COpenCL

/// One device of a platform, with what it reports.
///
/// `@unchecked Sendable`: root devices are constants of the driver's and need no release.
public struct Device: @unchecked Sendable {
    let id: cl_device_id
    let library: OpenCLLibrary
    public let info: DeviceInfo

    init(
        id: cl_device_id, library: OpenCLLibrary, platformName: String, platformVersion: String
    ) throws(OpenCLError) {
        self.id = id
        self.library = library
        let get = try library.functions.require(library.functions.getDeviceInfo, "clGetDeviceInfo")
        let query = InfoQuery(function: "clGetDeviceInfo") { get(id, $0, $1, $2, $3) }
        info = DeviceInfo(query, platformName: platformName, platformVersion: platformVersion)
    }
}

/// What a device reports. A query that the driver refuses leaves the most careful value, and never fails the device.
public struct DeviceInfo: Hashable, Sendable {
    /// The kinds a device can be of; some are of several.
    public struct Kind: OptionSet, Hashable, Sendable {
        public let rawValue: UInt64
        public init(rawValue: UInt64) { self.rawValue = rawValue }
        public static let cpu = Kind(rawValue: 1 << 1)
        public static let gpu = Kind(rawValue: 1 << 2)
        public static let accelerator = Kind(rawValue: 1 << 3)
        public static let custom = Kind(rawValue: 1 << 4)
    }

    public let name: String
    public let vendor: String
    public let platformName: String
    public let platformVersion: String
    /// `OpenCL 3.0 …`.
    public let version: String
    /// `OpenCL C 1.2 …`.
    public let languageVersion: String
    public let driverVersion: String
    public let type: Kind
    public let computeUnits: Int
    /// In megahertz.
    public let clockFrequency: Int
    /// Floats in a vector: of the hardware, and as the compiler likes them.
    public let nativeFloatWidth: Int
    public let preferredFloatWidth: Int
    public let nativeHalfWidth: Int
    /// In bytes.
    public let localMemory: Int
    /// False if local memory is emulated in global memory.
    public let hasDedicatedLocalMemory: Bool
    public let maxWorkGroupSize: Int
    public let maxWorkItemSizes: [Int]
    /// In bytes. Both may change with free memory.
    public let globalMemory: Int
    public let maxAllocation: Int
    /// What the start of a sub-buffer, or of host memory used in place, is a multiple of, in bytes.
    public let baseAddressAlignment: Int
    public let maxParameterBytes: Int
    /// In nanoseconds.
    public let timerResolution: Int
    public let hasUnifiedMemory: Bool
    public let isAvailable: Bool
    public let hasCompiler: Bool
    public let isLittleEndian: Bool
    public let maxSubGroups: Int
    public let preferredWorkGroupMultiple: Int
    public let extensions: Set<String>

    public var hasHalf: Bool { extensions.contains("cl_khr_fp16") }
    public var hasDouble: Bool { extensions.contains("cl_khr_fp64") }
    public var hasSubGroups: Bool { maxSubGroups > 0 || extensions.contains("cl_khr_subgroups") }

    /// Why no kernel can run here; `nil` if one can.
    public var unsuitableReason: String? {
        if !isAvailable { return "it says it is not available" }
        if !hasCompiler { return "its driver has no compiler" }
        if globalMemory <= 0 || maxAllocation <= 0 { return "it reports no memory" }
        if maxWorkGroupSize <= 0 { return "it reports no work-group size" }
        if type.contains(.custom) { return "it is a custom device, which takes no programs" }
        if !isLittleEndian { return "it is big-endian" }
        return nil
    }

    init(_ query: InfoQuery, platformName: String, platformVersion: String) {
        func number(_ name: Int32) -> Int { Int(query.optional(name, cl_uint(0))) }
        func size(_ name: Int32) -> Int { query.optional(name, 0) }
        func bytes(_ name: Int32) -> Int { Int(clamping: query.optional(name, cl_ulong(0))) }
        func flag(_ name: Int32, _ fallback: cl_bool) -> Bool { query.optional(name, fallback) != 0 }
        func text(_ name: Int32) -> String { (try? query.text(name)) ?? "" }

        self.platformName = platformName
        self.platformVersion = platformVersion
        name = text(CL_DEVICE_NAME)
        vendor = text(CL_DEVICE_VENDOR)
        version = text(CL_DEVICE_VERSION)
        languageVersion = text(CL_DEVICE_OPENCL_C_VERSION)
        driverVersion = text(CL_DRIVER_VERSION)
        type = Kind(rawValue: query.optional(CL_DEVICE_TYPE, cl_device_type(0)))
        computeUnits = number(CL_DEVICE_MAX_COMPUTE_UNITS)
        clockFrequency = number(CL_DEVICE_MAX_CLOCK_FREQUENCY)
        nativeFloatWidth = max(number(CL_DEVICE_NATIVE_VECTOR_WIDTH_FLOAT), 1)
        preferredFloatWidth = max(number(CL_DEVICE_PREFERRED_VECTOR_WIDTH_FLOAT), 1)
        nativeHalfWidth = number(CL_DEVICE_NATIVE_VECTOR_WIDTH_HALF)
        localMemory = bytes(CL_DEVICE_LOCAL_MEM_SIZE)
        hasDedicatedLocalMemory = query.optional(CL_DEVICE_LOCAL_MEM_TYPE, cl_uint(0)) == cl_uint(CL_LOCAL)
        maxWorkGroupSize = size(CL_DEVICE_MAX_WORK_GROUP_SIZE)
        let itemBytes = (try? query.bytes(CL_DEVICE_MAX_WORK_ITEM_SIZES)) ?? []
        maxWorkItemSizes = itemBytes.withUnsafeBytes { raw in
            (0..<raw.count / 8).map { raw.loadUnaligned(fromByteOffset: $0 * 8, as: Int.self) }
        }
        globalMemory = bytes(CL_DEVICE_GLOBAL_MEM_SIZE)
        maxAllocation = bytes(CL_DEVICE_MAX_MEM_ALLOC_SIZE)
        baseAddressAlignment = max(number(CL_DEVICE_MEM_BASE_ADDR_ALIGN) / 8, 1)
        maxParameterBytes = size(CL_DEVICE_MAX_PARAMETER_SIZE)
        timerResolution = size(CL_DEVICE_PROFILING_TIMER_RESOLUTION)
        // OpenCL 2 calls this deprecated, so that a driver may refuse it: a CPU device shares memory in any case.
        hasUnifiedMemory = flag(CL_DEVICE_HOST_UNIFIED_MEMORY, 0) || type.contains(.cpu)
        isAvailable = flag(CL_DEVICE_AVAILABLE, 0)
        hasCompiler = flag(CL_DEVICE_COMPILER_AVAILABLE, 0)
        isLittleEndian = flag(CL_DEVICE_ENDIAN_LITTLE, 1)
        maxSubGroups = number(CL_DEVICE_MAX_NUM_SUB_GROUPS)
        preferredWorkGroupMultiple = size(CL_DEVICE_PREFERRED_WORK_GROUP_SIZE_MULTIPLE)
        extensions = Set(text(CL_DEVICE_EXTENSIONS).split(separator: " ").map(String.init))
    }
}
