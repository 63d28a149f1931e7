import AttentionCore
import Dispatch
import Locking

/// One call of a group on its way: shares on threads of their own, and those of devices that fail on the others.
struct SharingRun: Sendable {
    /// A share that is computed.
    private struct Computed {
        let part: ProblemPart
        let outputs: AttentionOutputs
        let report: RunReport
    }

    let group: SharingBackend
    let policy: PlanPolicy
    let parted: PartedCall
    let control: RunControl

    /// Computes all shares and brings the results to where they belong.
    ///
    /// - Throws: The first error if no device is left; at once, what none of them could mend.
    func compute(_ division: Division, _ call: inout SharingCall) throws(AttentionError) -> RunReport {
        var computed: [Computed] = []
        var orphans: [ProblemPart] = []
        var workers: Set<Int> = []
        for (share, result) in zip(division.shares, atOnce(division.shares)) {
            do throws(AttentionError) {
                computed.append(try result.get())
                workers.insert(share.device)
            } catch {
                try giveUp(share.device, error, &call)
                orphans.append(share.part)
            }
        }
        for part in orphans {
            let found = try adopt(part, &call)
            computed.append(found.computed)
            workers.insert(found.device)
        }
        try control.check()
        try parted.deliver(computed.map { ($0.part, $0.outputs) })
        call.finish(.worked, of: workers)
        return report(computed, call)
    }

    /// All shares at once, each on a thread of its own but for the last, which this thread computes.
    private func atOnce(_ shares: [Division.Share]) -> [Result<Computed, AttentionError>] {
        let results = Guarded([Result<Computed, AttentionError>?](repeating: nil, count: shares.count))
        let pending = DispatchGroup()
        let run: @Sendable (Int) -> Void = { [self] index in
            let result = attempt(shares[index])
            results.withLock { $0[index] = result }
        }
        for index in shares.indices.dropLast() {
            pending.enter()
            let hasBegun = OwnThread.run {
                run(index)
                pending.leave()
            }
            if !hasBegun {
                run(index)
                pending.leave()
            }
        }
        if let last = shares.indices.last { run(last) }
        pending.wait()
        return results.withLock { $0 }.map { $0 ?? .failure(.cancelled) }
    }

    private func attempt(_ share: Division.Share) -> Result<Computed, AttentionError> {
        do throws(AttentionError) { return .success(try compute(share.part, on: share.device, share.plan)) } catch {
            return .failure(error)
        }
    }

    /// One part on one device, in memory of its own, with the time it took.
    private func compute(
        _ part: ProblemPart, on device: Int, _ plan: (any BackendPlan)?
    ) throws(AttentionError) -> Computed {
        let (member, parted, policy) = (group.members[device], parted, policy)
        let (clock, speeds) = (group.clock, group.speeds)
        let kind = SpeedTable.Kind(parted.problem)
        return try member.watched(control) { (control) throws(AttentionError) -> Computed in
            try control.check()
            let start = clock(device)
            let (problem, inputs, outputs) = try parted.part(part)
            let ready: any BackendPlan
            if let plan { ready = plan } else { ready = try member.plan(problem, policy) }
            let report = try ready.run(problem, inputs, outputs, control)
            speeds.record(device, kind, work: SpeedTable.work(problem), clock(device) - start)
            return Computed(part: part, outputs: outputs, report: report)
        }
    }

    /// A part whose device failed, on the fastest of the others that can; the resting are asked last.
    private func adopt(
        _ part: ProblemPart, _ call: inout SharingCall
    ) throws(AttentionError) -> (computed: Computed, device: Int) {
        let kind = SpeedTable.Kind(parted.problem)
        repeat {
            let ordered = call.devices.map { ($0, group.speeds.speed($0, kind) ?? 0) }.sorted { $0.1 > $1.1 }
            for (device, _) in ordered {
                do throws(AttentionError) { return (try compute(part, on: device, nil), device) } catch {
                    try giveUp(device, error, &call)
                }
            }
        } while call.wake(except: [])
        throw call.firstError ?? .unsupported(device: group.device.name, reason: "no device of the group is left")
    }

    private func giveUp(
        _ device: Int, _ error: AttentionError, _ call: inout SharingCall
    ) throws(AttentionError) {
        try control.check()
        guard error.isOfTheDevice else { throw error }
        call.fail(device, error)
    }

    private func report(_ computed: [Computed], _ call: SharingCall) -> RunReport {
        let reports = computed.map(\.report)
        let builds = reports.map(\.build)
        let times = reports.compactMap(\.kernelNanoseconds)
        return RunReport(
            kernel: Division.kernels(reports.map(\.kernel)),
            build: builds.contains(.compiled) ? .compiled : builds.contains(.cached) ? .cached : .native,
            scratchBytes: reports.reduce(0) { $0 + $1.scratchBytes },
            // They ran at once: the slowest is what the call waited for.
            kernelNanoseconds: times.count == reports.count ? times.max() : nil,
            notes: reports.flatMap(\.notes), failures: reports.flatMap(\.failures) + call.failures)
    }
}
