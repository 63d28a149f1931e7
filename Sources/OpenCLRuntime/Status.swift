/// The status that an OpenCL function returned. Statuses this package has no name for are kept as they are.
public struct Status: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    public let rawValue: Int32

    public init(rawValue: Int32) { self.rawValue = rawValue }

    public static let success = Status(rawValue: 0)
    public static let deviceNotFound = Status(rawValue: -1)
    public static let deviceNotAvailable = Status(rawValue: -2)
    public static let compilerNotAvailable = Status(rawValue: -3)
    public static let memObjectAllocationFailure = Status(rawValue: -4)
    public static let outOfResources = Status(rawValue: -5)
    public static let outOfHostMemory = Status(rawValue: -6)
    public static let profilingInfoNotAvailable = Status(rawValue: -7)
    public static let buildProgramFailure = Status(rawValue: -11)
    public static let invalidValue = Status(rawValue: -30)
    public static let invalidDevice = Status(rawValue: -33)
    public static let invalidContext = Status(rawValue: -34)
    public static let invalidCommandQueue = Status(rawValue: -36)
    public static let invalidMemObject = Status(rawValue: -38)
    public static let invalidBinary = Status(rawValue: -42)
    public static let invalidKernelName = Status(rawValue: -46)
    public static let invalidWorkGroupSize = Status(rawValue: -54)
    public static let invalidWorkItemSize = Status(rawValue: -55)
    public static let invalidBufferSize = Status(rawValue: -61)
    public static let platformNotFound = Status(rawValue: -1001)

    /// The name that the OpenCL headers give it; an unknown one keeps its number.
    public var name: String { Self.names[rawValue] ?? "unknown OpenCL status \(rawValue)" }

    public var description: String { Self.names[rawValue].map { "\($0) (\(rawValue))" } ?? name }

    /// - Throws: ``OpenCLError/failed(function:status:context:)`` unless this is success.
    func check(_ function: String, _ context: @autoclosure () -> String = "") throws(OpenCLError) {
        if self != .success { throw .failed(function: function, status: self, context: context()) }
    }

    private static let names: [Int32: String] = {
        var names: [Int32: String] = [0: "CL_SUCCESS", -1001: "CL_PLATFORM_NOT_FOUND_KHR"]
        let first = [
            "DEVICE_NOT_FOUND", "DEVICE_NOT_AVAILABLE", "COMPILER_NOT_AVAILABLE", "MEM_OBJECT_ALLOCATION_FAILURE",
            "OUT_OF_RESOURCES", "OUT_OF_HOST_MEMORY", "PROFILING_INFO_NOT_AVAILABLE", "MEM_COPY_OVERLAP",
            "IMAGE_FORMAT_MISMATCH", "IMAGE_FORMAT_NOT_SUPPORTED", "BUILD_PROGRAM_FAILURE", "MAP_FAILURE",
            "MISALIGNED_SUB_BUFFER_OFFSET", "EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST", "COMPILE_PROGRAM_FAILURE",
            "LINKER_NOT_AVAILABLE", "LINK_PROGRAM_FAILURE", "DEVICE_PARTITION_FAILED", "KERNEL_ARG_INFO_NOT_AVAILABLE",
        ]
        for (index, name) in first.enumerated() { names[-1 - Int32(index)] = "CL_" + name }
        let invalid = [
            "VALUE", "DEVICE_TYPE", "PLATFORM", "DEVICE", "CONTEXT", "QUEUE_PROPERTIES", "COMMAND_QUEUE", "HOST_PTR",
            "MEM_OBJECT", "IMAGE_FORMAT_DESCRIPTOR", "IMAGE_SIZE", "SAMPLER", "BINARY", "BUILD_OPTIONS", "PROGRAM",
            "PROGRAM_EXECUTABLE", "KERNEL_NAME", "KERNEL_DEFINITION", "KERNEL", "ARG_INDEX", "ARG_VALUE", "ARG_SIZE",
            "KERNEL_ARGS", "WORK_DIMENSION", "WORK_GROUP_SIZE", "WORK_ITEM_SIZE", "GLOBAL_OFFSET", "EVENT_WAIT_LIST",
            "EVENT", "OPERATION", "GL_OBJECT", "BUFFER_SIZE", "MIP_LEVEL", "GLOBAL_WORK_SIZE", "PROPERTY",
            "IMAGE_DESCRIPTOR", "COMPILER_OPTIONS", "LINKER_OPTIONS", "DEVICE_PARTITION_COUNT", "PIPE_SIZE",
            "DEVICE_QUEUE", "SPEC_ID",
        ]
        for (index, name) in invalid.enumerated() { names[-30 - Int32(index)] = "CL_INVALID_" + name }
        return names
    }()
}
