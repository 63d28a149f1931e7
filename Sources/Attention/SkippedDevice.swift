/// A device or platform that was passed over.
public struct SkippedDevice: Hashable, Sendable, CustomStringConvertible {
    /// `opencl:0.1`; `opencl:0` for a platform, `opencl` for all of them, `native`.
    public let selector: String
    /// Its name and platform, or the platform alone where its devices cannot be listed.
    public let name: String
    public let reason: String

    public var description: String { "\(name): \(reason)" }
}
