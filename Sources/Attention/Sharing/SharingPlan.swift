import AttentionCore
import Locking

/// A call planned for a group. Its shares are fixed for each set of devices that are awake: while one rests after a failure, the
/// others have shares of their own, and the first ones come back with it.
final class SharingPlan: BackendPlan {
    private struct State {
        var divisions: [Set<Int>: Division] = [:]
        /// Devices that cannot do such calls, and why.
        var excluded: [Int: AttentionError] = [:]
    }

    let explanation: PlanExplanation
    let group: SharingBackend
    let policy: PlanPolicy
    private let planned: AttentionProblem
    private let state = Guarded(State())

    init(_ problem: AttentionProblem, _ policy: PlanPolicy, _ group: SharingBackend) throws(AttentionError) {
        self.group = group
        self.policy = policy
        planned = problem.part(ProblemPart(problem.shape))
        var call = SharingCall(group)
        explanation = try Self.division(planned, policy, group, state, &call).explanation
        call.finish(.planned)
    }

    func run(
        _ problem: AttentionProblem, _ inputs: AttentionInputs, _ outputs: AttentionOutputs, _ control: RunControl
    ) throws(AttentionError) -> RunReport {
        try control.check()
        var call = SharingCall(group)
        do throws(AttentionError) {
            let division = try Self.division(planned, policy, group, state, &call)
            let parted = try PartedCall(problem, inputs, outputs, withoutBlocks: division.isByKeys)
            let run = SharingRun(group: group, policy: policy, parted: parted, control: control)
            let report = try run.compute(division, &call)
            call.finish(.worked)
            return report
        } catch {
            call.finish(.planned)
            throw error
        }
    }

    /// The shares of the devices that `call` has; those that fail at planning leave it.
    private static func division(
        _ planned: AttentionProblem, _ policy: PlanPolicy, _ group: SharingBackend, _ state: Guarded<State>,
        _ call: inout SharingCall
    ) throws(AttentionError) -> Division {
        while true {
            let excluded = state.withLock { $0.excluded }
            let present = call.devices.filter { excluded[$0] == nil }
            guard !present.isEmpty else {
                // The resting are asked after all, if there are any left.
                if call.wake(except: Set(excluded.keys)) { continue }
                throw call.firstError ?? excluded.min { $0.key < $1.key }?.value
                    ?? .unsupported(device: group.device.name, reason: "no device of the group is left")
            }
            if let known = state.withLock({ $0.divisions[Set(present)] }) { return known }
            let planning = SharePlanning(group: group, policy: policy, problem: planned)
            switch try planning.division(present, excluded: Self.lines(excluded, call, group)) {
            case .planned(let division):
                // The first to have made it decides: its shares are everybody's.
                return state.withLock { state in
                    if let known = state.divisions[Set(present)] { return known }
                    state.divisions[Set(present)] = division
                    return division
                }
            case .failed(let device, let error):
                if case .deviceFailed = error {
                    call.fail(device, error)
                } else {
                    state.withLock { $0.excluded[device] = error }
                }
            }
        }
    }

    private static func lines(
        _ excluded: [Int: AttentionError], _ call: SharingCall, _ group: SharingBackend
    ) -> [String] {
        excluded.sorted { $0.key < $1.key }.map { "\(group.members[$0.key].name): \($0.value.reason)" }
            + call.failures.map { "\($0.device): \($0.reason)" }
    }
}
