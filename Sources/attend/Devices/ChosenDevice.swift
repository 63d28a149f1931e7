import Attention

/// A device that was passed over.
struct CallFallback {
    let from: String
    let reason: String
}

/// The device that `--device` names, open, with those that stand by.
struct ChosenDevice {
    let backend: any Backend
    let policy: PlanPolicy
    /// Devices that were passed over before any work.
    let skipped: [CallFallback]
    /// What goes on with the work if this device fails: the next ones, best first.
    private let standby: [BackendCandidate]

    var description: DeviceDescription { backend.device }

    /// - Throws: ``CommandFailure`` of status 69 if the device asked for is not there or cannot be used.
    static func choose(_ common: CommonOptions, _ policy: PlanPolicy) throws -> ChosenDevice {
        if common.device == "all" {
            throw CommandFailure(.usage, "--device: expected one device, found 'all', which is for conform and verify")
        }
        let catalogue = Catalogue()
        let candidates = try catalogue.matching(common.device)
        let isOpen = common.device == "auto"
        var skipped = isOpen && !candidates.contains { $0.isOpenCL } ? catalogue.problems : []
        for (index, candidate) in candidates.enumerated() {
            do {
                let backend = try candidate.open()
                let after = common.fallback == .never ? [] : candidates[(index + 1)...] + [BackendCandidates.reference]
                return ChosenDevice(
                    backend: backend, policy: policy, skipped: skipped,
                    standby: after.filter { $0.description != backend.device })
            } catch {
                let fallback = CallFallback(from: candidate.description.selector, reason: "\(error)")
                guard isOpen, common.fallback == .automatic else { throw error }
                skipped.append(fallback)
            }
        }
        throw CommandFailure(.unavailable, "--device: expected a device that can be used, found none")
    }

    /// All devices that `--device` names: several for `all`.
    static func several(_ common: CommonOptions, _ policy: PlanPolicy) throws -> [ChosenDevice] {
        guard common.device == "all" else { return [try choose(common, policy)] }
        return try Catalogue().matching("all").map {
            ChosenDevice(backend: try $0.open(), policy: policy, skipped: [], standby: [])
        }
    }

    /// One call, on this device or, if it fails and `mayFallBack`, on the first that does not.
    ///
    /// - Throws: what this device throws for a bad call, and for a failure where nothing stands by.
    func call(_ inputs: AttentionInputs, _ options: AttentionOptions, mayFallBack: Bool = true) throws -> Call {
        var fallbacks = skipped
        do {
            return try Call(inputs, options, on: backend, policy, after: fallbacks)
        } catch let error as AttentionError {
            guard mayFallBack, error.isOfDevice, policy.kernel == nil, !standby.isEmpty else { throw error }
            fallbacks.append(CallFallback(from: description.selector, reason: error.description))
        }
        for (index, candidate) in standby.enumerated() {
            do {
                return try Call(inputs, options, on: try candidate.open(), policy, after: fallbacks)
            } catch let error as AttentionError {
                guard error.isOfDevice, index + 1 < standby.count else { throw error }
                fallbacks.append(CallFallback(from: candidate.description.selector, reason: error.description))
            }
        }
        throw CommandFailure(.bug, "no device was left to try")
    }

    func verify(
        _ options: VerificationOptions, progress: @escaping (Int, Int) -> Void
    ) throws -> VerificationReport { try Verifier.run(backend: backend, options, progress: progress) }

    /// Loops that measure the machine. The device's own are to come with a hook of the library.
    func peakLoops(_ common: CommonOptions) throws -> [any PeakLoops] { [try NativeLoops(threads: common.threads)] }
}

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

    fileprivate init(
        _ inputs: AttentionInputs, _ options: AttentionOptions, on backend: any Backend, _ policy: PlanPolicy,
        after fallbacks: [CallFallback]
    ) throws {
        let clock = ContinuousClock()
        let start = clock.now
        let problem = try AttentionProblem(inputs, options)
        let plan = try backend.plan(problem, policy)
        outputs = try problem.makeOutputs(for: inputs) { count throws(AttentionError) in
            try HostStorage(byteCount: count)
        }
        report = try plan.run(problem, inputs, outputs, RunControl(isProfiled: true))
        let elapsed = (clock.now - start).components
        milliseconds = Double(elapsed.seconds) * 1e3 + Double(elapsed.attoseconds) * 1e-15
        device = backend.device
        self.fallbacks = fallbacks
    }
}

extension BackendCandidate {
    var isOpenCL: Bool { description.selector.hasPrefix("opencl:") }
}

extension AttentionError {
    /// True for errors that another device may not have.
    var isOfDevice: Bool {
        switch self {
        case .unsupported, .deviceFailed, .noDevice: true
        case .outOfMemory(_, let device): device != "host"
        case .invalid, .cancelled: false
        }
    }
}
