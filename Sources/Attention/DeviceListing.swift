import AttentionOpenCL

/// Everything attention could run on here, and which of it is chosen by default.
public struct DeviceListing: Sendable {
    /// The path of the OpenCL loader; `nil` without one.
    public let library: String?
    /// OpenCL's devices in order, usable or not, then the native path, then the reference.
    public let candidates: [DeviceCandidate]
    /// Platforms that could not be listed.
    public let skipped: [SkippedDevice]
    /// The selector of the device that ``DevicePreference/automatic`` opens.
    public let chosen: String
    /// Why that one.
    public let reason: String
    private let passedOver: [SkippedDevice]

    /// Why `candidate` is the one that is chosen by default, or is not.
    public func reason(_ candidate: DeviceCandidate) -> String {
        let selector = candidate.description.selector
        if selector == chosen { return reason }
        return candidate.unsuitableReason ?? passedOver.first { $0.selector == selector }?.reason
            ?? "'\(chosen)' comes first"
    }

    /// Looks at every platform, once, and opens the device that would be chosen.
    ///
    /// A platform that fails stands in ``skipped`` and does not stop the others. Cost: 1 to 400 ms a platform.
    public static func current() -> DeviceListing { listing(OpenCLSource(), library: OpenCLDiscovery.libraryPath) }

    static func listing(_ source: any DeviceSource, library: String?) -> DeviceListing {
        let seen = SeenDevices(source)
        var selection = DeviceSelection(seen)
        // The native path ends every automatic choice; it fails only where an instruction set was asked for that is not there.
        let choice = try? selection.open(.automatic)
        return DeviceListing(
            library: library, candidates: seen.all + [.native, .reference], skipped: seen.skipped,
            chosen: choice?.backend.device.selector ?? DeviceCandidate.reference.description.selector,
            reason: choice?.reason ?? "no other device", passedOver: selection.skipped)
    }
}

/// A source that was looked at once, with what was broken in it.
private struct SeenDevices: DeviceSource {
    private let count: Result<Int, AttentionError>
    private let platforms: [Result<[DeviceCandidate], AttentionError>]
    let skipped: [SkippedDevice]

    init(_ source: any DeviceSource) {
        var skipped: [SkippedDevice] = []
        var platforms: [Result<[DeviceCandidate], AttentionError>] = []
        do throws(AttentionError) {
            let found = max(0, try source.platformCount())
            count = .success(found)
            for platform in 0..<found {
                let (selector, name) = ("opencl:\(platform)", "platform \(platform)")
                do throws(AttentionError) {
                    let candidates = try source.candidates(platform: platform)
                    platforms.append(.success(candidates))
                    guard candidates.isEmpty else { continue }
                    skipped.append(SkippedDevice(selector: selector, name: name, reason: "it has no device"))
                } catch {
                    platforms.append(.failure(error))
                    skipped.append(SkippedDevice(selector: selector, name: name, reason: error.reason))
                }
            }
        } catch {
            count = .failure(error)
            skipped.append(SkippedDevice(selector: "opencl", name: "OpenCL", reason: error.reason))
        }
        self.platforms = platforms
        self.skipped = skipped
    }

    var all: [DeviceCandidate] { platforms.flatMap { (try? $0.get()) ?? [] } }

    func platformCount() throws(AttentionError) -> Int { try count.get() }

    func candidates(platform: Int) throws(AttentionError) -> [DeviceCandidate] { try platforms[platform].get() }
}
