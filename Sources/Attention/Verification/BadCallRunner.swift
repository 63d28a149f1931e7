import AttentionCore
import AttentionReference

/// Makes one good call, spoils it, and sees whether it is refused as it should be.
struct BadCallRunner {
    let backend: any Backend
    let policy: PlanPolicy

    func run(_ call: BadCall) -> CaseRunner.Outcome {
        var outcome = CaseRunner.Outcome()
        do {
            let problem: String?
            do {
                problem = try attempt(call)
            } catch let error as AttentionError {
                guard case .invalid(let operand) = error else { throw error }
                problem =
                    operand.operand == call.operand
                    ? nil : "refused for \(operand.operand), not \(call.operand): \(operand)"
            }
            if let problem { outcome.findings.append(finding(call, problem)) }
        } catch {
            outcome.findings.append(finding(call, "failed with \(error) instead of an invalid operand"))
        }
        return outcome
    }

    private func finding(_ call: BadCall, _ detail: String) -> Finding {
        Finding(tensor: call.operand, gate: "refusal", ratio: .infinity, detail: detail)
    }

    /// What went wrong where nothing was thrown, or a byte was written before it was.
    private func attempt(_ call: BadCall) throws -> String? {
        var inputs = AttentionInputs(
            query: try Tensor([Float](repeating: 0.5, count: 96), shape: [2, 4, 3, 4]),
            key: try Tensor([Float](repeating: 0.25, count: 80), shape: [2, 2, 5, 4]),
            value: try Tensor([Float](repeating: 1, count: 120), shape: [2, 2, 5, 6]))
        var options = AttentionOptions()
        let layout = try TensorLayout(contiguous: [2, 4, 3, 6])
        let arena = try Arena(output: "output", layout: layout, .float32, bytes: layout.count * 4 + 64) {
            count throws(AttentionError) -> any TensorStorage in try HostStorage(byteCount: count)
        }
        var outputs = AttentionOutputs(
            output: try Tensor(storage: arena.storage, layout: layout, elementType: .float32))
        try call.spoil(&inputs, &options, &outputs)
        do {
            let problem = try AttentionProblem(inputs, options)
            try problem.check(outputs, for: inputs)
            _ = try backend.plan(problem, policy).run(problem, inputs, outputs, RunControl())
        } catch {
            guard try arena.isUntouched() else { return "refused after output was written" }
            throw error
        }
        return "accepted"
    }
}
