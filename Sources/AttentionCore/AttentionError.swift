/// What an attention call can fail with. Nothing is written to any output when one is thrown for a bad call.
public enum AttentionError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The caller's mistake: the operand, what was expected of it and what came.
    case invalid(InvalidOperand)
    /// The device cannot do this call, and why.
    case unsupported(device: String, reason: String)
    /// The device failed while it worked. `detail` carries the function and status a driver gave.
    case deviceFailed(device: String, detail: String)
    /// There is no such device, and why.
    case noDevice(requested: String, reason: String)
    /// Memory for `bytes` bytes was refused.
    case outOfMemory(bytes: Int, device: String)
    /// The task was cancelled before the result was complete.
    case cancelled

    public var description: String {
        switch self {
        case .invalid(let invalid): invalid.description
        case .unsupported(let device, let reason): "\(device) cannot run this call: \(reason)"
        case .deviceFailed(let device, let detail): "\(device) failed: \(detail)"
        case .noDevice(let requested, let reason): "no device for '\(requested)': \(reason)"
        case .outOfMemory(let bytes, let device): "\(device) has no memory for \(bytes) bytes"
        case .cancelled: "the call was cancelled"
        }
    }
}

/// One operand or option of a call that cannot be right.
public struct InvalidOperand: Hashable, Sendable, CustomStringConvertible {
    /// The kind of mistake.
    public enum Kind: String, Hashable, Sendable {
        case rank, shape, elementType, value, count, overflow, overlap, bounds, combination
    }

    /// What is wrong: `query`, `keyLengths`, `scale` and so on, as the parameter is called.
    public let operand: String
    public let kind: Kind
    public let expected: String
    public let found: String

    public init(_ operand: String, _ kind: Kind, expected: String, found: String) {
        self.operand = operand
        self.kind = kind
        self.expected = expected
        self.found = found
    }

    public var description: String { "\(operand): expected \(expected), found \(found)" }
}

extension AttentionError {
    /// Shorthand for ``invalid(_:)``.
    public static func invalid(
        _ operand: String, _ kind: InvalidOperand.Kind, expected: String, found: String
    ) -> AttentionError {
        .invalid(InvalidOperand(operand, kind, expected: expected, found: found))
    }
}
