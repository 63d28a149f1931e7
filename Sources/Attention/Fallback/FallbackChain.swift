import Locking
import Logging

/// The devices that finish what others failed in, opened when they are first needed and kept.
final class FallbackChain: Sendable {
    /// Those of this machine.
    static let shared = FallbackChain { (preference) throws(AttentionError) in
        try Device.select(preference, fallback: nil, from: OpenCLSource(), logger: Logger(label: "swift-attention"))
    }

    private let open: @Sendable (DevicePreference) throws(AttentionError) -> Device
    private let opened = Guarded<[DevicePreference: Result<Device, AttentionError>]>([:])

    init(_ open: @escaping @Sendable (DevicePreference) throws(AttentionError) -> Device) { self.open = open }

    /// The device for `preference`. One that does not open is not asked for again: looking at platforms takes up to half a second.
    func device(_ preference: DevicePreference) throws(AttentionError) -> Device {
        if let known = opened.withLock({ $0[preference] }) { return try known.get() }
        // Outside of the lock: a driver that hangs here stops nobody else. Two that ask at once may both open it; one is kept.
        let result: Result<Device, AttentionError>
        do throws(AttentionError) { result = .success(try open(preference)) } catch { result = .failure(error) }
        let kept = opened.withLock { opened in
            if let first = opened[preference] { return first }
            opened[preference] = result
            return result
        }
        return try kept.get()
    }
}
