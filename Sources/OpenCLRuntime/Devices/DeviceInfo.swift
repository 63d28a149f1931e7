import COpenCL

/// What a device reports about itself (`clGetDeviceInfo`). A property the driver does not know is 0, false or empty.
public struct DeviceInfo: Sendable, Hashable {
    /// How local memory is made.
    public enum LocalMemory: Sendable, Hashable {
        /// The device has none.
        case none
        /// A memory of its own, as GPUs have.
        case dedicated
        /// Ordinary memory: using it saves nothing over global memory.
        case global
    }

    public let name: String
    public let vendor: String
    public let vendorID: UInt32
    /// The OpenCL version, such as 3.0.
    public let version: OpenCLVersion
    /// The newest OpenCL C version that `CL_DEVICE_OPENCL_C_VERSION` names.
    public let languageVersion: OpenCLVersion
    public let driverVersion: String
    public let type: DeviceType

    public let computeUnits: Int
    /// Megahertz.
    public let clockFrequency: Int
    public let nativeFloatWidth: Int
    public let preferredFloatWidth: Int
    /// 0 where the device has no half arithmetic.
    public let nativeHalfWidth: Int
    public let preferredHalfWidth: Int
    public let maxWorkGroupSize: Int
    /// Always three sizes, for x, y and z.
    public let maxWorkItemSizes: [Int]
    /// `CL_DEVICE_PREFERRED_WORK_GROUP_SIZE_MULTIPLE` (OpenCL 3.0); ask the kernel where it is 0.
    public let preferredWorkGroupMultiple: Int
    /// Sizes of sub-groups that a kernel may require (`CL_DEVICE_SUB_GROUP_SIZES_INTEL`), the smallest first; empty without
    /// `cl_intel_required_subgroup_size`.
    public let requirableSubGroups: [Int]
    /// `CL_DEVICE_MAX_NUM_SUB_GROUPS`; 0 without sub-groups.
    public let maxSubGroups: Int

    public let localMemory: LocalMemory
    public let localMemoryBytes: Int
    public let globalMemoryBytes: Int
    /// Bytes of the last-level cache of global memory.
    public let cacheBytes: Int
    public let cacheLineBytes: Int
    public let maxAllocationBytes: Int
    /// What the offset of a sub-buffer must be a multiple of, in bytes.
    public let baseAlignmentBytes: Int
    public let maxParameterBytes: Int
    public let addressBits: Int
    /// Host and device share one memory.
    public let hasUnifiedMemory: Bool

    public let extensions: Set<String>
    public let isAvailable: Bool
    public let hasCompiler: Bool
    /// `CL_FP_FMA` for single precision: without it, `fma()` is a library call.
    public let hasFusedMultiplyAdd: Bool
    /// `CL_FP_ROUND_TO_NEAREST` and `CL_FP_INF_NAN` for half precision. Only with them do errors of half arithmetic have a bound.
    public let roundsHalfToNearest: Bool
    /// Nanoseconds between two values of the profiling timer.
    public let timerResolution: Int
    /// False where the driver did not answer what every device must: name and type.
    let answers: Bool

    /// `cl_khr_fp16`: arithmetic in half. Loading and storing half needs no extension.
    public var hasHalf: Bool { extensions.contains("cl_khr_fp16") }
    /// `cl_khr_fp64`.
    public var hasDouble: Bool { extensions.contains("cl_khr_fp64") }
    /// `cl_khr_subgroups`, or Intel's.
    public var hasSubGroups: Bool {
        maxSubGroups > 0 || extensions.contains("cl_khr_subgroups") || extensions.contains("cl_intel_subgroups")
    }
    /// What a host pointer should be a multiple of to be used in place rather than copied: a cache line on a CPU, a page
    /// on anything else.
    public var hostPointerAlignmentBytes: Int { type.contains(.cpu) ? 64 : max(4096, baseAlignmentBytes) }
}

extension DeviceInfo {
    init(_ reader: InfoReader) {
        func count(_ parameter: Int32) -> Int { Int(reader.optional(parameter, 0 as cl_uint)) }
        func size(_ parameter: Int32) -> Int { Int(clamping: UInt(bitPattern: reader.optional(parameter, 0 as Int))) }
        func bytes(_ parameter: Int32) -> Int { Int(clamping: reader.optional(parameter, 0 as cl_ulong)) }
        func flag(_ parameter: Int32) -> Bool { reader.optional(parameter, 0 as cl_bool) != 0 }

        var answers = true
        var name = ""
        var type: DeviceType = []
        do {
            name = try reader.string(CL_DEVICE_NAME)
            type = DeviceType(rawValue: try reader.value(CL_DEVICE_TYPE, 0 as cl_device_type))
        } catch { answers = false }
        self.answers = answers
        self.name = name
        self.type = type
        vendor = reader.optionalString(CL_DEVICE_VENDOR)
        vendorID = reader.optional(CL_DEVICE_VENDOR_ID, 0 as cl_uint)
        version = OpenCLVersion(reader.optionalString(CL_DEVICE_VERSION))
        languageVersion = OpenCLVersion(reader.optionalString(CL_DEVICE_OPENCL_C_VERSION))
        driverVersion = reader.optionalString(CL_DRIVER_VERSION)

        computeUnits = count(CL_DEVICE_MAX_COMPUTE_UNITS)
        clockFrequency = count(CL_DEVICE_MAX_CLOCK_FREQUENCY)
        nativeFloatWidth = count(CL_DEVICE_NATIVE_VECTOR_WIDTH_FLOAT)
        preferredFloatWidth = count(CL_DEVICE_PREFERRED_VECTOR_WIDTH_FLOAT)
        nativeHalfWidth = count(CL_DEVICE_NATIVE_VECTOR_WIDTH_HALF)
        preferredHalfWidth = count(CL_DEVICE_PREFERRED_VECTOR_WIDTH_HALF)
        maxWorkGroupSize = size(CL_DEVICE_MAX_WORK_GROUP_SIZE)
        var sizes: [Int] = []
        do { sizes = try reader.array(CL_DEVICE_MAX_WORK_ITEM_SIZES, of: 0 as Int) } catch {}
        maxWorkItemSizes = (0..<3).map { sizes.indices.contains($0) ? sizes[$0] : 1 }
        preferredWorkGroupMultiple = size(DeviceInfo.preferredMultipleParameter)
        maxSubGroups = count(DeviceInfo.maxSubGroupsParameter)

        localMemoryBytes = bytes(CL_DEVICE_LOCAL_MEM_SIZE)
        switch reader.optional(CL_DEVICE_LOCAL_MEM_TYPE, 0 as cl_uint) {
        case cl_uint(CL_LOCAL): localMemory = .dedicated
        case cl_uint(CL_GLOBAL): localMemory = .global
        default: localMemory = .none
        }
        globalMemoryBytes = bytes(CL_DEVICE_GLOBAL_MEM_SIZE)
        cacheBytes = bytes(CL_DEVICE_GLOBAL_MEM_CACHE_SIZE)
        cacheLineBytes = count(CL_DEVICE_GLOBAL_MEM_CACHELINE_SIZE)
        maxAllocationBytes = bytes(CL_DEVICE_MAX_MEM_ALLOC_SIZE)
        baseAlignmentBytes = max(1, count(CL_DEVICE_MEM_BASE_ADDR_ALIGN) / 8)
        maxParameterBytes = size(CL_DEVICE_MAX_PARAMETER_SIZE)
        addressBits = count(CL_DEVICE_ADDRESS_BITS)
        hasUnifiedMemory = flag(CL_DEVICE_HOST_UNIFIED_MEMORY)

        extensions = Set(reader.optionalString(CL_DEVICE_EXTENSIONS).split(separator: " ").map(String.init))
        var subGroups: [Int] = []
        if extensions.contains("cl_intel_required_subgroup_size") {
            do { subGroups = try reader.array(DeviceInfo.subGroupSizesParameter, of: 0 as Int) } catch {}
        }
        requirableSubGroups = subGroups.sorted()
        isAvailable = flag(CL_DEVICE_AVAILABLE)
        hasCompiler = flag(CL_DEVICE_COMPILER_AVAILABLE)
        hasFusedMultiplyAdd =
            reader.optional(CL_DEVICE_SINGLE_FP_CONFIG, 0 as cl_ulong) & cl_ulong(CL_FP_FMA) != 0
        let rounding = cl_ulong(CL_FP_ROUND_TO_NEAREST | CL_FP_INF_NAN)
        roundsHalfToNearest = reader.optional(DeviceInfo.halfParameter, 0 as cl_ulong) & rounding == rounding
        timerResolution = size(CL_DEVICE_PROFILING_TIMER_RESOLUTION)
    }

    /// Written out because Apple's headers stop at OpenCL 1.2.
    private static let preferredMultipleParameter: Int32 = 0x1067
    private static let maxSubGroupsParameter: Int32 = 0x105C
    private static let subGroupSizesParameter: Int32 = 0x4108
    /// `CL_DEVICE_HALF_FP_CONFIG`, which stands among the extensions.
    private static let halfParameter: Int32 = 0x1033
}

/// The kinds of device (`cl_device_type`).
public struct DeviceType: OptionSet, Hashable, Sendable {
    public let rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    public static let cpu = DeviceType(rawValue: 1 << 1)
    public static let gpu = DeviceType(rawValue: 1 << 2)
    public static let accelerator = DeviceType(rawValue: 1 << 3)
    public static let custom = DeviceType(rawValue: 1 << 4)
    /// Every kind but custom devices, which run no OpenCL C (`CL_DEVICE_TYPE_ALL`).
    public static let all = DeviceType(rawValue: 0xFFFF_FFFF)
}

/// A version out of text such as "OpenCL 3.0 PoCL 3.1" or "OpenCL C 1.2"; 0.0 where there is none.
public struct OpenCLVersion: Hashable, Sendable, Comparable, CustomStringConvertible {
    public let major: Int
    public let minor: Int
    /// The text as it came.
    public let text: String

    init(_ text: String) {
        self.text = text
        let words = text.split(separator: " ")
        let numbers = words.lazy.compactMap { word -> (Int, Int)? in
            let parts = word.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, let major = Int(parts[0]) else { return nil }
            guard let minor = Int(parts[1].prefix { $0.isASCII && $0.isNumber }) else { return nil }
            return (major, minor)
        }
        (major, minor) = numbers.first ?? (0, 0)
    }

    public static func < (left: OpenCLVersion, right: OpenCLVersion) -> Bool {
        (left.major, left.minor) < (right.major, right.minor)
    }

    public var description: String { "\(major).\(minor)" }
}
