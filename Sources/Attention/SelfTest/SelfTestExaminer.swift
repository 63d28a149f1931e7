import AttentionCore
import AttentionOpenCL

/// Tries a kernel in a child process if it can, else here.
struct SelfTestExaminer: KernelExaminer {
    /// The program to start; `nil` for none.
    let helper: String?
    let timeLimit: Duration

    func examine(_ trial: KernelTrial) -> KernelTrial.Outcome {
        let cases = SelfTestCases(trial.problem)
        // A child is of no use where what it compiled cannot be kept: all would be built twice, in each process anew.
        if let helper, trial.cacheFolder != nil {
            let request = SelfTestRequest(trial, cases)
            if let outcome = SelfTestChild(program: helper, timeLimit: timeLimit).run(request) { return outcome }
        }
        trial.willRunHere()
        return Self.run(cases, on: trial.backend, trial.policy)
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
