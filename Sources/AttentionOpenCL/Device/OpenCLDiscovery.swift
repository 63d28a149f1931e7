import AttentionCore
import OpenCLRuntime

/// Finds OpenCL devices, a platform at a time: some platforms take a third of a second to list theirs.
public enum OpenCLDiscovery {
    /// The path of the loader in use; `nil` if this machine has none.
    public static var libraryPath: String? { try? OpenCLLibrary.shared().path }

    /// How many platforms there are.
    ///
    /// - Throws: ``AttentionError/noDevice(requested:reason:)`` without a loader or without a platform.
    public static func platformCount() throws(AttentionError) -> Int {
        try platforms(of: library()).count
    }

    /// The devices of one platform, suitable or not.
    ///
    /// - Throws: ``AttentionError/noDevice(requested:reason:)`` if the platform has none or fails.
    public static func candidates(platform index: Int) throws(AttentionError) -> [OpenCLCandidate] {
        try candidates(platform: index, of: try library())
    }

    /// As ``candidates(platform:)``, through a loader of the caller's.
    static func candidates(
        platform index: Int, of library: OpenCLLibrary
    ) throws(AttentionError) -> [OpenCLCandidate] {
        let platforms = try platforms(of: library)
        guard platforms.indices.contains(index) else {
            throw .noDevice(requested: "opencl:\(index)", reason: "there are \(platforms.count) platforms")
        }
        do {
            let devices = try platforms[index].devices()
            return devices.enumerated().map { OpenCLCandidate($1, selector: "opencl:\(index).\($0)") }
        } catch {
            throw .noDevice(requested: "opencl:\(index)", reason: error.description)
        }
    }

    static func platforms(of library: OpenCLLibrary) throws(AttentionError) -> [Platform] {
        do { return try library.platforms() } catch {
            throw .noDevice(requested: "opencl", reason: error.description)
        }
    }

    private static func library() throws(AttentionError) -> OpenCLLibrary {
        do { return try OpenCLLibrary.shared() } catch {
            throw .noDevice(requested: "opencl", reason: error.description)
        }
    }
}

/// An OpenCL device that could be used, with what it reports.
public struct OpenCLCandidate: Sendable {
    public let description: DeviceDescription
    /// The kernel family its native vector width calls for: `wide` or `tiled`.
    public let family: String
    /// Why it cannot be used; `nil` if it can.
    public let unsuitableReason: String?
    /// What it reports, by name, for people and JSON.
    public let limits: [(name: String, value: Limit)]
    private let device: OpenCLRuntime.Device

    public enum Limit: Hashable, Sendable {
        case number(Int)
        case text(String)
        case flag(Bool)
    }

    init(_ device: OpenCLRuntime.Device, selector: String) {
        let info = device.info
        self.device = device
        description = OpenCLBackend.describe(device, selector: selector)
        let profile = DeviceProfile(info, platform: device.platform.name)
        family = profile.family
        unsuitableReason = DeviceLimits.problemOfEnvironment ?? device.unsuitability?.description
        limits = [
            ("driver", .text(info.driverVersion)),
            ("version", .text(info.version.text)),
            ("compute_units", .number(info.computeUnits)),
            ("native_float_width", .number(info.nativeFloatWidth)),
            ("preferred_float_width", .number(info.preferredFloatWidth)),
            ("global_memory", .number(profile.memoryBytes)),
            ("max_allocation", .number(profile.allocationBytes)),
            ("local_memory", .number(profile.localMemoryBytes)),
            ("max_work_group", .number(min(info.maxWorkGroupSize, DeviceLimits.ofEnvironment.workGroup))),
            ("alignment", .number(info.baseAlignmentBytes)),
            ("unified_memory", .flag(info.hasUnifiedMemory)),
            ("fp16", .flag(info.hasHalf)),
            ("half_products", .flag(profile.multipliesHalves)),
            ("fp64", .flag(info.hasDouble)),
            ("sub_groups", .flag(info.hasSubGroups)),
            ("sub_group_sizes", .text(profile.subGroups.map(String.init).joined(separator: " "))),
            ("sub_group_exchange", .text(profile.exchanges.map(\.description).joined(separator: " "))),
        ]
    }

    /// Opens a context and queues.
    ///
    /// - Throws: ``AttentionError/unsupported(device:reason:)`` for an unsuitable device, and
    ///   ``AttentionError/deviceFailed(device:detail:)`` if the driver refuses.
    ///
    /// - Parameter examiner: Tries each kernel before its first use; `nil` trusts all.
    public func makeBackend(examiner: (any KernelExaminer)? = nil) throws(AttentionError) -> OpenCLBackend {
        try backend(.embedded, examiner)
    }

    /// A backend on one of `count` equal parts of this device, counted from 0 (`clCreateSubDevices`).
    ///
    /// - Parameter selector: What the part is called.
    /// - Throws: ``AttentionError/unsupported(device:reason:)`` for a device that does not divide so, and as
    ///   ``makeBackend(examiner:)``.
    public func makeBackend(
        part: Int, of count: Int, selector: String, examiner: (any KernelExaminer)? = nil
    ) throws(AttentionError) -> OpenCLBackend {
        let parts: [OpenCLRuntime.Device]
        do throws(OpenCLError) { parts = try device.split(count) } catch {
            throw .unsupported(device: description.name, reason: error.description)
        }
        guard parts.indices.contains(part) else {
            throw .unsupported(device: description.name, reason: "it has \(parts.count) such parts, counted from 0")
        }
        var own = OpenCLCandidate(parts[part], selector: selector).description
        own.name += " (part \(part) of \(count))"
        let context = try asAttentionError(own.name) { () throws(OpenCLError) in try Context(device: parts[part]) }
        return OpenCLBackend(context: context, description: own, text: .embedded, examiner: examiner)
    }

    /// A backend whose kernels are partly replaced, by file name: for tests that prove a wrong kernel is caught.
    @_spi(Testing)
    public func makeBackend(
        replacingSources files: [String: String], cache: ProgramCache = .standard(),
        limits: DeviceLimits = .ofEnvironment, examiner: (any KernelExaminer)? = nil
    ) throws(AttentionError) -> OpenCLBackend {
        try backend(KernelText.embedded.replacing(files), examiner, cache, limits)
    }

    private func backend(
        _ text: KernelText, _ examiner: (any KernelExaminer)?, _ cache: ProgramCache = .standard(),
        _ limits: DeviceLimits = .ofEnvironment
    ) throws(AttentionError) -> OpenCLBackend {
        if let unsuitableReason { throw .unsupported(device: description.name, reason: unsuitableReason) }
        let context = try asAttentionError(description.name) { () throws(OpenCLError) in try Context(device: device) }
        return OpenCLBackend(
            context: context, description: description, text: text, cache: cache, limits: limits,
            examiner: examiner)
    }
}
