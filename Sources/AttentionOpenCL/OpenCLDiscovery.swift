import AttentionCore

/// Finds OpenCL devices, a platform at a time: some platforms take a third of a second to list theirs.
public enum OpenCLDiscovery {
    /// The path of the loader in use; `nil` if this machine has none.
    public static var libraryPath: String? { nil }

    /// How many platforms there are.
    ///
    /// - Throws: ``AttentionError/noDevice(requested:reason:)`` without a loader or without a platform.
    public static func platformCount() throws(AttentionError) -> Int {
        throw .noDevice(requested: "opencl", reason: "no loader")
    }

    /// The devices of one platform, suitable or not.
    public static func candidates(platform: Int) throws(AttentionError) -> [OpenCLCandidate] { [] }
}

/// An OpenCL device that could be used, with what it reports.
public struct OpenCLCandidate: Sendable {
    public let description: DeviceDescription
    /// The kernel family its native vector width calls for: `wide` or `tiled`.
    public let family: String
    /// Why it cannot be used; `nil` if it can.
    public let unsuitableReason: String?
    /// What it reports, by name, for people and JSON.
    public let limits: [(name: String, value: Limit)]

    public enum Limit: Hashable, Sendable {
        case number(Int)
        case text(String)
        case flag(Bool)
    }

    /// Opens a context and a queue.
    public func makeBackend() throws(AttentionError) -> OpenCLBackend {
        throw .unsupported(device: description.name, reason: "not built yet")
    }
}
