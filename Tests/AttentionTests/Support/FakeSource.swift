import AttentionCore
import Locking

@testable import Attention

/// Platforms made up for a test, with a note of which of them were looked at.
final class FakeSource: DeviceSource {
    enum Platform: Sendable {
        case devices([DeviceCandidate])
        case broken(String)
    }

    let platforms: [Platform]
    let countError: AttentionError?
    private let looks = Guarded<[Int]>([])

    init(_ platforms: [Platform], countError: AttentionError? = nil) {
        self.platforms = platforms
        self.countError = countError
    }

    /// The platforms that were listed, in that order.
    var looked: [Int] { looks.withLock { $0 } }

    func platformCount() throws(AttentionError) -> Int {
        if let countError { throw countError }
        return platforms.count
    }

    func candidates(platform: Int) throws(AttentionError) -> [DeviceCandidate] {
        looks.withLock { $0.append(platform) }
        switch platforms[platform] {
        case .devices(let devices): return devices
        case .broken(let reason): throw .noDevice(requested: "opencl:\(platform)", reason: reason)
        }
    }
}

extension DeviceCandidate {
    /// A device that opens as a ``FakeBackend``, or does not open.
    static func fake(
        _ place: String, _ kind: DeviceDescription.Kind, _ name: String, platform: String = "Fake Platform",
        family: String = "tiled", unsuitable: String? = nil, openError: AttentionError? = nil
    ) -> DeviceCandidate {
        let description = DeviceDescription.fake("opencl:\(place)", name, platform: platform, kind)
        return DeviceCandidate(description: description, family: family, unsuitableReason: unsuitable) {
            () throws(AttentionError) -> any Backend in
            if let openError { throw openError }
            return FakeBackend(description)
        }
    }
}
