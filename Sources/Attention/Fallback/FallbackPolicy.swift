/// Who finishes a call that its device cannot.
///
/// The call is computed once more from its inputs, which nobody changes, by the next device of the policy that can; the output is
/// complete, or the call throws. It is finished elsewhere when
///
/// - a kernel does not build, or the compiler fails;
/// - memory is refused, at once or when it is first touched;
/// - any call of the driver returns an error, at any time, or an event ends in one;
/// - the device gives no answer within ``Device/timeLimit``: its queue is abandoned, since a kernel cannot be killed;
/// - the device cannot do the call (`AttentionError.unsupported`), unless a kernel or a family was asked for by name;
/// - the device rests after a failure, see ``Device/restTime``.
///
/// It is not when the call is wrong (`AttentionError.invalid`) or cancelled. A machine without an OpenCL loader, platform or device,
/// devices that are unsuitable and those that do not open are passed over before any call, by `Device.select`.
///
/// Everyone who failed stands in `AttentionResult.fallbacks`, in order, and in the log. If all fail, the first error is thrown.
public enum FallbackPolicy: Hashable, Sendable {
    /// The processor without OpenCL, then the reference. After the reference comes nobody.
    case automatic
    /// Nobody: the error is thrown. A resting device is tried all the same.
    case never
    /// These, in this order; the device itself is not among them. Those that are not there are passed over and said to be.
    ///
    /// An empty list is ``never``.
    case ordered([DevicePreference])

    /// Reads a policy, as `--fallback` takes it.
    ///
    /// - Parameter text: `automatic`, `never`, or devices with commas between them, as `DevicePreference` reads each. An empty
    ///   place makes it `nil`.
    public init?(_ text: String) {
        switch text.lowercased() {
        case "automatic": self = .automatic
        case "never": self = .never
        default:
            let names = text.split(separator: ",", omittingEmptySubsequences: false)
                .map { $0.drop { $0 == " " } }
            if names.contains(where: \.isEmpty) { return nil }
            self = .ordered(names.map { DevicePreference(String($0)) })
        }
    }

    /// True if a call that ended in `error` is worth finishing elsewhere: the device's fault, not the caller's.
    func covers(_ error: AttentionError, _ policy: PlanPolicy) -> Bool {
        switch error {
        case .deviceFailed, .outOfMemory: true
        // What was asked for by name is not replaced by another behind the caller's back.
        case .unsupported: policy.kernel == nil && policy.family == nil && policy.precision == .standard
        case .invalid, .noDevice, .cancelled: false
        }
    }

    /// The devices after one of this kind.
    func successors(of kind: DeviceDescription.Kind) -> [DevicePreference] {
        switch self {
        case .automatic:
            switch kind {
            case .gpu, .cpu, .accelerator, .group: [.native, .reference]
            case .native: [.reference]
            case .reference: []
            }
        case .never: []
        case .ordered(let devices): devices
        }
    }

    /// True if somebody may come after a device of this kind.
    func hasSuccessors(_ kind: DeviceDescription.Kind) -> Bool {
        switch self {
        case .automatic: kind != .reference
        case .never: false
        case .ordered(let devices): !devices.isEmpty
        }
    }
}

extension FallbackPolicy: CustomStringConvertible {
    public var description: String {
        switch self {
        case .automatic: "automatic"
        case .never: "never"
        case .ordered(let devices): devices.isEmpty ? "never" : devices.map(\.description).joined(separator: ",")
        }
    }
}
