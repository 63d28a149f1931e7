/// What a verification found.
public struct VerificationReport: Sendable, CustomStringConvertible {
    /// The device and its name, as people know it.
    public let device: String
    /// All cases looked at, with those that failed and those that the device cannot run.
    public internal(set) var cases = 0
    public internal(set) var failed = 0
    public internal(set) var skipped = 0
    public let seed: UInt64
    public internal(set) var coverage = VerificationCoverage()
    /// One a broken gate and tensor; a case may have several.
    public internal(set) var failures: [VerificationFailure] = []
    /// The largest error of each gate as a share of what it allows, over the cases that passed it.
    public internal(set) var maxima: [String: Double] = [:]

    /// True if something ran and nothing failed.
    public var passed: Bool { failed == 0 && cases > skipped }

    init(device: String, seed: UInt64) {
        self.device = device
        self.seed = seed
    }

    public var description: String {
        var lines = ["\(device): \(cases) cases, \(failed) failed, \(skipped) skipped, seed \(seed)"]
        if !maxima.isEmpty {
            let gates = maxima.sorted { $0.key < $1.key }
            lines.append(
                "largest share of each gate: " + gates.map { "\($0) \(Self.brief($1))" }.joined(separator: ", "))
        }
        lines.append(coverage.description)
        // One of each kind first: a single mistake may fail a hundred cases alike.
        var seen: [String: Int] = [:]
        for failure in failures {
            let kind = "\(failure.id.prefix { $0 != ":" }) \(failure.tensor) \(failure.gate)"
            seen[kind, default: 0] += 1
            if seen[kind, default: 0] <= 2 { lines.append(failure.description) }
        }
        for (kind, count) in seen.sorted(by: { $0.key < $1.key }) where count > 2 {
            lines.append("… and \(count - 2) more like these: \(kind)")
        }
        return lines.joined(separator: "\n")
    }

    static func brief(_ value: Double) -> String {
        value.isFinite && abs(value) < 1e6 ? "\((value * 1000).rounded() / 1000)" : "\(value)"
    }
}

/// One gate that one case did not pass.
public struct VerificationFailure: Hashable, Sendable, CustomStringConvertible {
    /// The case; `--filter` with this text and `--seed` with this seed run it again.
    public let id: String
    public let seed: UInt64
    public let device: String
    /// The kernel that ran, `none` if none did.
    public let kernel: String
    /// The tensor at fault: `output`, `logSumExp`, an operand.
    public let tensor: String
    /// A gate of SEMANTICS (`G0` … `S`), or `bits`, `memory`, `error`, `refusal`.
    public let gate: String
    /// The error as a multiple of what the gate allows; infinite where the gate is not a number.
    public let ratio: Double
    /// What was found, and where.
    public let detail: String

    public var description: String {
        "FAILED \(id) (seed \(seed), \(kernel)): \(tensor) \(gate) ×\(VerificationReport.brief(ratio)): \(detail)"
    }
}

/// What the cases that ran have touched.
public struct VerificationCoverage: Hashable, Sendable, CustomStringConvertible {
    /// How many cases ran for each value of each option: `counts["softcap"]["30"]`.
    public internal(set) var counts: [String: [String: Int]] = [:]
    /// Pairs of values of two options that met in a case, and those that may meet at all.
    public internal(set) var pairsCovered = 0
    public internal(set) var pairsPossible = 0
    /// Pairs that never met, the first few.
    public internal(set) var missingPairs: [String] = []
    /// Why cases were skipped, and how many for each reason.
    public internal(set) var skipReasons: [String: Int] = [:]

    mutating func count(_ option: String, _ value: String) { counts[option, default: [:]][value, default: 0] += 1 }

    public var description: String {
        var lines = ["pairs of options covered: \(pairsCovered) of \(pairsPossible)"]
        if !missingPairs.isEmpty { lines.append("  never met: " + missingPairs.joined(separator: "; ")) }
        for (option, values) in counts.sorted(by: { $0.key < $1.key }) {
            let listed = values.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
            lines.append("  \(option): " + listed.joined(separator: ", "))
        }
        for (reason, count) in skipReasons.sorted(by: { $0.key < $1.key }) {
            lines.append("  skipped \(count): \(reason)")
        }
        return lines.joined(separator: "\n")
    }
}
