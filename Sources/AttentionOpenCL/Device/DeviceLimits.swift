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

    /// What the environment asks for; no limits if that cannot be read.
    public static let ofEnvironment = asked.flatMap { DeviceLimits($0) } ?? DeviceLimits()

    /// What is wrong with what the environment asks for. No OpenCL device can be used then: without the limits, another one would be
    /// tried than the one asked for.
    static let problemOfEnvironment: String? = {
        guard let asked, DeviceLimits(asked) == nil else { return nil }
        return "\(variable): expected \(names.keys.sorted().joined(separator: "=N,"))=N, found '\(asked)'"
    }()

    private static let asked: String? = {
        let text = ProcessInfo.processInfo.environment[variable] ?? ""
        return text.isEmpty ? nil : text
    }()
}
