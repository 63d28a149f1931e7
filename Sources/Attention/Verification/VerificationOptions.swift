import AttentionCore

/// What a verification runs.
public struct VerificationOptions: Hashable, Sendable {
    /// How many cases.
    public enum Cases: String, Hashable, Sendable, CaseIterable {
        /// Some hundreds: every edge, every option, every pair of options once, few combinations of types. Under a minute.
        case quick
        /// Some thousands: the same many times over, in every combination of types. Minutes.
        case full
    }

    public var cases: Cases
    /// Every number in a run follows from this one.
    public var seed: UInt64
    /// Runs the cases whose id contains this text only.
    public var filter: String?
    /// What is asked of the backend's plan: a forced kernel or family, a limit of memory.
    public var policy: PlanPolicy
    /// Stops at the first failure. Made for tests of broken kernels: the report then counts what ran up to there.
    public var stopsAtFirstFailure: Bool
    /// Cases whose id contains one of these texts run first, in this order.
    public var firstCases: [String]
    /// Leaves out what the kernels of attention have no part in: steps of layers, and calls that are refused on the host.
    public var attentionOnly = false

    public init(
        cases: Cases = .quick, seed: UInt64 = 1, filter: String? = nil, policy: PlanPolicy = .init(),
        stopsAtFirstFailure: Bool = false, firstCases: [String] = []
    ) {
        self.cases = cases
        self.seed = seed
        self.filter = filter
        self.policy = policy
        self.stopsAtFirstFailure = stopsAtFirstFailure
        self.firstCases = firstCases
    }
}
