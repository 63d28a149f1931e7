/// A device that failed, and another finished its call.
public struct Fallback: Hashable, Sendable, CustomStringConvertible {
    /// The device that failed.
    public let from: String
    public let reason: String

    public var description: String { "\(from): \(reason)" }
}
