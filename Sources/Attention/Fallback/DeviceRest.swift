/// A device that failed a while ago and is not tried meanwhile, so that not every call pays for the failure.
///
/// Calls go straight to the next device of their ``FallbackPolicy``. When the time is over, the first call tries the device again,
/// and the others still pass it by until that call has ended: well, and the device is awake; with another failure, and it rests
/// twice as long as before, up to 16 times ``Device/restTime``.
///
/// A rest saves time and never costs a result: a call that nobody else could finish is tried on the resting device after all.
public struct DeviceRest: Hashable, Sendable, CustomStringConvertible {
    /// The first moment at which a call tries the device again.
    public let until: ContinuousClock.Instant
    /// The time to there; zero while a call tries the device again.
    public let remaining: Duration
    /// What the device failed with.
    public let error: AttentionError

    public var description: String {
        remaining > .zero
            ? "resting for another \(remaining.inWords) after: \(error)" : "being tried again after: \(error)"
    }
}

extension Device {
    /// How long, and after what, this device rests; `nil` if it does not. All copies of a device rest together.
    public var resting: DeviceRest? { rest.current }

    /// Ends the rest: the next call tries this device, and earlier failures are forgotten. The devices that finished calls for it
    /// wake as well.
    public func wake() {
        rest.wake()
        standbys.wake()
    }
}

extension Duration {
    /// In whole seconds, or milliseconds below one, rounded up.
    var inWords: String {
        let milliseconds = Int((self / .milliseconds(1)).rounded(.up))
        return milliseconds < 1000 ? "\(milliseconds) ms" : "\((milliseconds + 999) / 1000) s"
    }
}
