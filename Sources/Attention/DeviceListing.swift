import AttentionOpenCL

/// Everything attention could run on here, and which of it is chosen by default.
public struct DeviceListing: Sendable {
    /// The path of the OpenCL loader; `nil` without one.
    public let library: String?
    public let candidates: [DeviceCandidate]
    /// Platforms that could not be listed.
    public let skipped: [SkippedDevice]
    /// The selector of the device that ``DevicePreference/automatic`` opens.
    public let chosen: String
    /// Why that one.
    public let reason: String

    /// Looks at every platform, and opens the device that would be chosen.
    public static func current() -> DeviceListing { listing(OpenCLSource(), library: OpenCLDiscovery.libraryPath) }

    static func listing(_ source: any DeviceSource, library: String?) -> DeviceListing {
        var candidates: [DeviceCandidate] = []
        var skipped: [SkippedDevice] = []
        do throws(AttentionError) {
            for platform in 0..<(try source.platformCount()) {
                do throws(AttentionError) {
                    candidates += try source.candidates(platform: platform)
                } catch {
                    skipped.append(SkippedDevice(name: "platform \(platform)", reason: error.description))
                }
            }
        } catch {
            skipped.append(SkippedDevice(name: "OpenCL", reason: error.description))
        }
        candidates.append(.reference)
        var selection = DeviceSelection(source)
        let chosen = (try? selection.open(.automatic).device) ?? DeviceCandidate.reference.description
        return DeviceListing(
            library: library, candidates: candidates, skipped: skipped, chosen: chosen.selector,
            reason: reason(chosen, candidates))
    }

    private static func reason(_ chosen: DeviceDescription, _ candidates: [DeviceCandidate]) -> String {
        switch chosen.kind {
        case .gpu: "the first usable GPU"
        case .cpu, .accelerator:
            candidates.first { $0.description == chosen }?.family == "wide"
                ? "no usable GPU; the first CPU device with wide vectors" : "no usable GPU; the first usable device"
        case .native: "no usable OpenCL device"
        case .reference: "no usable OpenCL device, and this version has no native path"
        }
    }
}
