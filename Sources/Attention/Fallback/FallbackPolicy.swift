/// What to do when a device fails while it works, or cannot run a call.
///
/// A call falls back for whatever is the device's fault: a kernel that does not build, memory that is refused or not there when it is
/// touched, an error of any driver function at any time, an event that ends in one, a time limit that passes (`RunControl` has it), a
/// fork of the process, or a call that the device cannot do at all. It does not for the caller's mistakes, nor when it is cancelled.
///
/// The call is then computed afresh on the next device, from the inputs, which no device ever changes; what the failed one wrote is
/// overwritten whole, or the call throws. ``AttentionResult/fallbacks`` and the device's logger tell of it. The device that failed
/// rests: see ``Device/restTime``.
///
/// A device that is not there is a matter of choosing one: `Device.select` passes over a missing loader, platforms without devices,
/// unsuitable devices and those that do not open, and ends with the native path.
public enum FallbackPolicy: Hashable, Sendable {
    /// Go on natively, and then on the reference.
    case automatic
    /// Throw the error.
    case never
    /// Go on with these devices, in this order. Each is opened when it is first needed, and kept.
    case ordered([DevicePreference])

    /// True if a call that ended in `error` is worth finishing elsewhere: the device's fault, not the caller's.
    func covers(_ error: AttentionError, _ policy: PlanPolicy) -> Bool {
        guard self != .never else { return false }
        switch error {
        case .deviceFailed, .outOfMemory: return true
        // A kernel that was asked for by name is not replaced by another behind the caller's back.
        case .unsupported: return policy.kernel == nil && policy.family == nil
        case .invalid, .noDevice, .cancelled: return false
        }
    }

    /// Who is asked after a device of `kind`.
    func preferences(after kind: DeviceDescription.Kind) -> [DevicePreference] {
        switch self {
        case .never: []
        case .ordered(let preferences): preferences
        case .automatic:
            switch kind {
            case .gpu, .cpu, .accelerator: [.native, .reference]
            case .native: [.reference]
            case .reference: []
            }
        }
    }
}

/// A device that failed, or that rests after it did, and another finished its call.
public struct Fallback: Hashable, Sendable, CustomStringConvertible {
    /// The device that was given up.
    public let from: String
    public let reason: String

    public var description: String { "\(from): \(reason)" }
}
