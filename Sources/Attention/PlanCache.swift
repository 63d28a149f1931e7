import AttentionCore
import Locking

/// The plans a device made, by what they are for, so that a call of a known kind chooses nothing again.
final class PlanCache: Sendable {
    private struct Key: Hashable {
        let signature: PlanSignature
        let policy: PlanPolicy
    }

    private struct State {
        var plans: [Key: any BackendPlan] = [:]
        /// Oldest first.
        var order: [Key] = []
        var hits = 0
        var misses = 0
    }

    /// A program that makes more kinds of calls than this makes them anew, each in its turn. A plan is small: programs are kept
    /// by the backend.
    private let most = 256
    private let state = PerProcess { Guarded(State()) }

    /// The plan for calls like `problem`; `make` makes a new one.
    func plan(
        _ problem: AttentionProblem, _ mask: AttentionMask, _ policy: PlanPolicy,
        _ make: () throws(AttentionError) -> any BackendPlan
    ) throws(AttentionError) -> any BackendPlan {
        try plan(PlanSignature(problem, mask), policy, make)
    }

    /// The plan for a part of a call.
    func plan(
        part problem: AttentionProblem, _ policy: PlanPolicy, _ make: () throws(AttentionError) -> any BackendPlan
    ) throws(AttentionError) -> any BackendPlan {
        try plan(PlanSignature(part: problem), policy, make)
    }

    private func plan(
        _ signature: PlanSignature, _ policy: PlanPolicy, _ make: () throws(AttentionError) -> any BackendPlan
    ) throws(AttentionError) -> any BackendPlan {
        let key = Key(signature: signature, policy: policy)
        let known = state.value.withLock { state -> (any BackendPlan)? in
            let plan = state.plans[key]
            if plan == nil { state.misses += 1 } else { state.hits += 1 }
            return plan
        }
        if let known { return known }
        // Two that ask at once may both make it; the programs below are built once all the same.
        let made = try make()
        let dropped = state.value.withLock { state -> (any BackendPlan)? in
            if state.plans.updateValue(made, forKey: key) == nil { state.order.append(key) }
            return state.order.count > most ? state.plans.removeValue(forKey: state.order.removeFirst()) : nil
        }
        // Released here: a driver that does not answer must not be called with the lock held.
        withExtendedLifetime(dropped) {}
        return made
    }

    var counts: (plans: Int, hits: Int, misses: Int) { state.value.withLock { ($0.plans.count, $0.hits, $0.misses) } }

    func clear() {
        let dropped = state.value.withLock { state in
            defer { (state.plans, state.order) = ([:], []) }
            return state.plans
        }
        withExtendedLifetime(dropped) {}
    }
}

/// What a device keeps between calls, and how often that was of use.
public struct DeviceStatistics: Hashable, Sendable {
    /// Plans kept.
    public let plans: Int
    /// Calls that found their plan, and calls that made it.
    public let planHits: Int
    public let planMisses: Int
    /// Programs in memory.
    public let programs: Int
    /// Scratch memory that waits for the next call, in bytes.
    public let idleScratchBytes: Int
    /// Calls that passed their ``Device/timeLimit`` and have not ended yet, if they ever do; each holds a thread and its memory.
    public let abandonedCalls: Int
}

extension Device {
    /// What this device keeps between calls. All copies of a device share it.
    public var statistics: DeviceStatistics {
        let (plans, backend) = (self.plans.counts, self.backend.statistics)
        return DeviceStatistics(
            plans: plans.plans, planHits: plans.hits, planMisses: plans.misses, programs: backend.programs,
            idleScratchBytes: backend.idleScratchBytes, abandonedCalls: watchdog.abandoned)
    }

    /// Gives back the plans and the scratch memory that are kept for coming calls. Programs stay.
    public func releaseMemory() {
        plans.clear()
        backend.releaseMemory()
    }
}
