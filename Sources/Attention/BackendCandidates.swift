@_exported import AttentionCore
import AttentionOpenCL
import AttentionReference

/// A backend that could be used, with what is known of it. For the command line.
package struct BackendCandidate: Sendable {
    package let description: DeviceDescription
    /// `wide` or `tiled`; `nil` where kernels have no families.
    package let family: String?
    /// Why it cannot be used; `nil` if it can.
    package let unsuitableReason: String?
    package let limits: [(name: String, value: Limit)]
    package typealias Limit = OpenCLCandidate.Limit

    /// Opens the device.
    package let open: @Sendable () throws(AttentionError) -> any Backend
}

package enum BackendCandidates {
    /// The path of the OpenCL loader in use.
    package static var libraryPath: String? { OpenCLDiscovery.libraryPath }

    /// Every OpenCL device; why there are none, or why a platform shows none, goes to `problems`.
    package static func openCL(problems: inout [(from: String, reason: String)]) -> [BackendCandidate] {
        var found: [BackendCandidate] = []
        do throws(AttentionError) {
            let count = try OpenCLDiscovery.platformCount()
            if count == 0 { problems.append((from: "opencl", reason: "there is no platform")) }
            for platform in 0..<count {
                do throws(AttentionError) {
                    found += try OpenCLDiscovery.candidates(platform: platform).map(candidate)
                } catch { problems.append((from: "opencl:\(platform)", reason: reason(error))) }
            }
        } catch { problems.append((from: "opencl", reason: reason(error))) }
        return found
    }

    package static var reference: BackendCandidate {
        BackendCandidate(
            description: ReferenceBackend().device, family: nil, unsuitableReason: nil, limits: [],
            open: { ReferenceBackend() })
    }

    private static func candidate(_ device: OpenCLCandidate) -> BackendCandidate {
        BackendCandidate(
            description: device.description, family: device.family, unsuitableReason: device.unsuitableReason,
            limits: device.limits, open: { () throws(AttentionError) in try device.makeBackend() })
    }

    private static func reason(_ error: AttentionError) -> String {
        if case .noDevice(_, let reason) = error { return reason }
        return error.description
    }
}
