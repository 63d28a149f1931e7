import AttentionCore
import Locking
import OpenCLRuntime

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Lets a program through to a plan, or to a step of a layer, once a self-test has passed with it.
///
/// A test is made of the call at hand and passes all programs that took part. One that fails, or that two processes have not
/// survived, quarantines the program that it was made for, so that the planner goes on to the next kernel, and a step to the next
/// family.
final class KernelGate: Sendable {
    /// Processes that may end during a test before that is taken for the kernel's doing: people end processes too.
    private static let mostAttempts = 2

    private let examiner: any KernelExaminer
    private let keeper: VerdictKeeper
    private let cacheFolder: String?
    /// One test at a time: the next one may find its programs tested.
    private let turn = Guarded<Set<KernelVariant>>([])

    init(_ examiner: any KernelExaminer, _ cache: ProgramCache) {
        self.examiner = examiner
        keeper = VerdictKeeper(cache)
        cacheFolder = cache.folder
    }

    /// - Throws: `unsupported` for a program that is quarantined.
    func admit(
        _ variant: KernelVariant, for use: KernelTrial.Use, _ policy: PlanPolicy, _ backend: OpenCLBackend
    ) throws(AttentionError) {
        try turn.withLock { (admitted) throws(AttentionError) in
            if admitted.contains(variant) { return }
            let key = try backend.key(variant)
            let verdict = keeper.verdict(key)
            let settled: KernelVerdict
            if let verdict, verdict.outcome != .started {
                settled = verdict
            } else {
                settled = decide(verdict, key, use, policy, backend)
            }
            guard settled.isTrusted else {
                let kernel = policy.kernel ?? variant.name
                throw .unsupported(
                    device: backend.device.name,
                    reason: "\(kernel): quarantined, as its self-test \(settled.outcome.rawValue): \(settled.reason)")
            }
            admitted.insert(variant)
        }
    }

    private func decide(
        _ earlier: KernelVerdict?, _ key: CacheKey, _ use: KernelTrial.Use, _ policy: PlanPolicy,
        _ backend: OpenCLBackend
    ) -> KernelVerdict {
        let kernel = policy.kernel ?? ""
        var attempts = 1
        if let earlier, !earlier.isUnderTest {
            guard earlier.attempts < Self.mostAttempts else {
                let crashed = KernelVerdict(
                    kernel, .crashed, "\(earlier.attempts) processes ended during the test", attempts: earlier.attempts)
                keeper.keep(crashed, key)
                return crashed
            }
            attempts = earlier.attempts + 1
        }
        let trial = KernelTrial(
            use: use, policy: policy, device: backend.device,
            driver: backend.context.device.info.driverVersion, cacheFolder: cacheFolder, backend: backend.withoutGate()
        ) { [keeper, attempts] in
            keeper.keep(KernelVerdict(kernel, .started, process: getpid(), attempts: attempts), key)
        }
        let verdict: KernelVerdict
        switch examiner.examine(trial) {
        case .passed(let programs):
            verdict = KernelVerdict(kernel, .passed)
            let keys = programs.map(key.of)
            for other in keys where other != key && keeper.verdict(other) == nil { keeper.keep(verdict, other) }
            // The call's sizes may lead to tiles that those of the test did not: the same text, but nothing to put on record.
            if !keys.contains(key) { return verdict }
        case .failed(let reason): verdict = KernelVerdict(kernel, .failed, reason)
        case .crashed(let reason): verdict = KernelVerdict(kernel, .crashed, reason)
        case .impossible: return KernelVerdict(kernel, .passed)
        }
        keeper.keep(verdict, key)
        return verdict
    }
}

extension CacheKey {
    /// The key of another program of the same device and driver.
    fileprivate func of(_ program: KernelTrial.Program) -> CacheKey {
        replacing(flags: program.flags, source: program.source)
    }
}
