/// A device that failed or rests, and another finished its call.
public struct Fallback: Hashable, Sendable, CustomStringConvertible {
    /// The device's name, or what it was asked for by if it could not be opened.
    public let from: String
    /// What it failed with, or how long it rests and after what.
    public let reason: String

    public init(from: String, reason: String) {
        self.from = from
        self.reason = reason
    }

    public var description: String { "\(from): \(reason)" }
}
