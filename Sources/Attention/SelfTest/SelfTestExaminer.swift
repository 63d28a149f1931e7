import AttentionCore
import AttentionOpenCL
import Foundation
import Locking

/// Tries kernels in a child process if it can, else here.
final class SelfTestExaminer: KernelExaminer {
    /// The program to start; `nil` for none.
    private let helper: String?
    private let timeLimit: Duration
    /// The one that answered last.
    private let child = Guarded<SelfTestChild?>(nil)

    init(helper: String?, timeLimit: Duration) {
        self.helper = helper
        self.timeLimit = timeLimit
    }

    func examine(_ trial: KernelTrial) -> KernelTrial.Outcome {
        // A child is of no use where what it compiled cannot be kept: all would be built twice, in each process anew.
        if let helper, trial.cacheFolder != nil, let outcome = examine(trial, helper) { return outcome }
        trial.willRunHere()
        return Self.run(SelfTestWork(trial.use), on: trial.backend, trial.policy)
    }

    /// - Returns: How the trial ended, or `nil` if nothing was tried: `helper` is none, or does not find the device.
    private func examine(_ trial: KernelTrial, _ helper: String) -> KernelTrial.Outcome? {
        guard let data = try? JSONEncoder().encode(SelfTestRequest(trial)) else { return nil }
        let text = String(decoding: data, as: UTF8.self)
        return child.withLock { child in
            if let kept = child {
                switch kept.send(text) ? kept.reply(within: timeLimit) : .gone(nil) {
                case .outcome(let outcome): return outcome
                case .late: return given(up: &child, "no answer within \(timeLimit)")
                // It may have waited too long, or have been spoiled by an earlier kernel: the next one tells.
                case .gone: child = nil
                }
            }
            guard let fresh = SelfTestChild(helper, first: text) else { return nil }
            switch fresh.reply(within: timeLimit) {
            case .outcome(let outcome):
                child = fresh
                return outcome
            case .late: return given(up: &child, "no answer within \(timeLimit)")
            case .gone(let reason): return reason.map { .crashed($0) }
            }
        }
    }

    private func given(up child: inout SelfTestChild?, _ reason: String) -> KernelTrial.Outcome {
        child = nil
        return .crashed(reason)
    }

    static func run(_ work: SelfTestWork, on backend: OpenCLBackend, _ policy: PlanPolicy) -> KernelTrial.Outcome {
        switch work {
        case .calls(let cases): run(cases, on: backend, policy)
        case .steps(let variant): run(variant, on: backend)
        }
    }

    /// Runs steps of layers with one kernel.
    private static func run(_ variant: LayerVariant, on backend: OpenCLBackend) -> KernelTrial.Outcome {
        let backend = backend.trying(variant)
        for step in SelfTestLayers.cases(variant) {
            let outcome = step.run(backend, seed: 1)
            if let reason = outcome.skipReason { return .failed(reason) }
            if let finding = outcome.findings.first { return .failed("\(finding)") }
        }
        return .passed(backend.builtPrograms)
    }

    /// Runs the calls with a kernel by its name.
    static func run(_ cases: SelfTestCases, on backend: OpenCLBackend, _ policy: PlanPolicy) -> KernelTrial.Outcome {
        let runner = CaseRunner(backend: backend, policy: policy, seed: 1)
        for spec in cases.specs {
            do throws(AttentionError) {
                var builder = CaseBuilder(spec, seed: 1)
                let prepared = try builder.build()
                let outcome = runner.run(prepared, try Judge(prepared, policy.precision))
                if let reason = outcome.skipReason { return .failed(reason) }
                if let finding = outcome.findings.first { return .failed("\(finding)") }
            } catch {
                return .impossible("\(error)")
            }
        }
        return .passed(backend.builtPrograms)
    }
}
