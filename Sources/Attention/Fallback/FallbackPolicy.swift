/// What to do when a device fails while it works, or cannot run a call.
public enum FallbackPolicy: String, Hashable, Sendable, CaseIterable {
    /// Finish the call on the reference, from the unchanged inputs, and say so.
    case automatic
    /// Throw the error.
    case never

    /// True if a call that ended in `error` is worth finishing elsewhere: the device's fault, not the caller's.
    func covers(_ error: AttentionError, _ policy: PlanPolicy) -> Bool {
        guard self == .automatic else { return false }
        switch error {
        case .deviceFailed, .outOfMemory: return true
        // A kernel that was asked for by name is not replaced by another behind the caller's back.
        case .unsupported: return policy.kernel == nil && policy.family == nil
        case .invalid, .noDevice, .cancelled: return false
        }
    }
}
