import Foundation

/// Lowers what devices report, as if they were smaller: to try plans for devices that are not at hand.
///
///     ATTEND_LIMITS=work-group=64,local=16384,allocation=1000000,memory=4000000
public struct DeviceLimits: Hashable, Sendable {
    /// Holds limits for all OpenCL devices.
    public static let variable = "ATTEND_LIMITS"

    /// Work-items to a work-group.
    public var workGroup = Int.max
    /// Local memory of a work-group, in bytes.
    public var localMemory = Int.max
    /// The largest allocation, in bytes.
    public var allocation = Int.max
    /// All memory, in bytes.
    public var memory = Int.max

    public init() {}

    private static let names: [String: WritableKeyPath<DeviceLimits, Int> & Sendable] = [
        "work-group": \.workGroup, "local": \.localMemory, "allocation": \.allocation, "memory": \.memory,
    ]

    /// - Parameter text: As above; `nil` if it is anything else.
    init?(_ text: String) {
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let sides = part.split(separator: "=", omittingEmptySubsequences: false)
            guard sides.count == 2, let path = Self.names[String(sides[0])], let value = Int(sides[1]), value > 0 else {
                return nil
            }
            self[keyPath: path] = value
        }
    }

    /// What the environment asks for. A process that asks for what cannot be read stops: without, it would test something else.
    public static let ofEnvironment: DeviceLimits = {
        guard let text = ProcessInfo.processInfo.environment[variable], !text.isEmpty else { return DeviceLimits() }
        guard let limits = DeviceLimits(text) else {
            fatalError("\(variable): expected \(names.keys.sorted().joined(separator: "=N,"))=N, found '\(text)'")
        }
        return limits
    }()
}
