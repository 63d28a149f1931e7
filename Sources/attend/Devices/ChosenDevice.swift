import Attention

/// A finished call, with where it ran in the end.
struct Call {
    let outputs: AttentionOutputs
    let report: RunReport
    let device: DeviceDescription
    let fallbacks: [CallFallback]
    let milliseconds: Double

    /// Time in kernels: as the driver measured it, or all of the time where there is no driver. `nil` if nobody knows.
    var kernelMilliseconds: Double? {
        if let nanoseconds = report.kernelNanoseconds { return Double(nanoseconds) * 1e-6 }
        return report.build == .native ? milliseconds : nil
    }
}

/// A device that was passed over.
struct CallFallback {
    let from: String
    let reason: String
}

/// The device that `--device` names.
struct ChosenDevice {
    let backend: any Backend
    let policy: PlanPolicy
    var description: DeviceDescription { backend.device }

    static func choose(_ common: CommonOptions, _ policy: PlanPolicy) throws -> ChosenDevice {
        ChosenDevice(backend: try temporaryBackends(common.device)[0], policy: policy)
    }

    static func several(_ common: CommonOptions, _ policy: PlanPolicy) throws -> [ChosenDevice] {
        try temporaryBackends(common.device).map { ChosenDevice(backend: $0, policy: policy) }
    }

    func call(_ inputs: AttentionInputs, _ options: AttentionOptions, mayFallBack: Bool = true) throws -> Call {
        let clock = ContinuousClock()
        let start = clock.now
        let problem = try AttentionProblem(inputs, options)
        let plan = try backend.plan(problem, policy)
        let outputs = try problem.makeOutputs(for: inputs) { count throws(AttentionError) in
            try HostStorage(byteCount: count)
        }
        let report = try plan.run(problem, inputs, outputs, RunControl(isProfiled: true))
        let elapsed = (clock.now - start).components
        return Call(
            outputs: outputs, report: report, device: description, fallbacks: [],
            milliseconds: Double(elapsed.seconds) * 1e3 + Double(elapsed.attoseconds) * 1e-15)
    }

    func verify(_ options: VerificationOptions) throws -> VerificationReport { try Verifier.run(backend: backend, options) }

    func peakLoops(_ common: CommonOptions) throws -> [any PeakLoops] { [try NativeLoops(threads: common.threads)] }
}
