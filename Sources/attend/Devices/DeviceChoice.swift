import Attention

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// From `--device` to open devices.
enum DeviceChoice {
    /// The one device that the options name.
    ///
    /// - Throws: ``CommandFailure`` of status 69 if it is not there or cannot be used.
    static func one(_ common: CommonOptions) throws -> Device {
        apply(common)
        if common.device == "all" {
            throw CommandFailure(.usage, "--device: expected one device, found 'all', which is for conform and verify")
        }
        return try opened(common.device)
    }

    /// As ``one(_:)``, for a model: without a GPU, native code goes before an OpenCL CPU device. It is as fast, and there is nothing
    /// to compile, which takes one such driver 6 s of processor time at first.
    static func forModel(_ common: CommonOptions) throws -> Device {
        guard common.device == "auto" else { return try one(common) }
        apply(common)
        // That there is no GPU is no failure here, and nothing to tell.
        if let gpu = try? opened("gpu") { return gpu }
        return try opened("native")
    }

    /// The devices that the options name: OpenCL's that can be used and the native path for `all`.
    static func several(_ common: CommonOptions) throws -> [Device] {
        apply(common)
        guard common.device == "all" else { return [try opened(common.device)] }
        let usable = DeviceListing.current().candidates.filter {
            $0.unsuitableReason == nil && $0.description.kind != .reference
        }
        guard !usable.isEmpty else {
            throw CommandFailure(.unavailable, "--device: expected devices, found none that can be used")
        }
        return try usable.map { try opened($0.description.selector) }
    }

    /// What native code may use, wherever in this process it comes in: as the device, or to finish another's call.
    private static func apply(_ common: CommonOptions) {
        if let isa = common.isa { setenv(InstructionSet.variable, isa.rawValue, 1) }
        if let threads = common.threads { NativeBackend.threadLimit = threads }
    }

    private static func opened(_ selector: String) throws -> Device {
        do {
            var device = try Device.select(DevicePreference(selector))
            // What the library would log, the command says itself.
            device.logger.logLevel = .critical
            return device
        } catch AttentionError.noDevice(_, let reason) {
            throw CommandFailure(
                .unavailable, "--device: expected a device that is here, found '\(selector)': \(reason)")
        }
    }
}

extension AttentionResult {
    /// Every device that was given up, and why: those that failed, and all there was to try if no OpenCL device was left.
    func fallbacks(of device: Device, _ common: CommonOptions) -> [(from: String, reason: String)] {
        let wasLeft = common.device == "auto" && [.native, .reference].contains(device.description.kind)
        let skipped = wasLeft ? device.skipped.map { (from: $0.name, reason: $0.reason) } : []
        return skipped + fallbacks.map { (from: $0.from, reason: $0.reason) }
    }

    /// Time in kernels: as the driver measured it, or all of the time where there is no driver. `nil` if nobody knows.
    var kernelMilliseconds: Double? {
        if let nanoseconds = report.kernelNanoseconds { return Double(nanoseconds) * 1e-6 }
        return report.build == .native ? milliseconds : nil
    }
}
