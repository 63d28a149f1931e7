import AttentionCore
import AttentionReference

/// Runs prepared cases on a backend and collects what is wrong with the results.
struct CaseRunner {
    let backend: any Backend
    let policy: PlanPolicy
    let seed: UInt64

    struct Outcome {
        var kernel = "none"
        var findings: [Finding] = []
        /// The largest error of each gate as a share of what it allows.
        var ratios: [String: Double] = [:]
        /// Why the backend cannot run the case.
        var skipReason: String?
    }

    func run(_ prepared: PreparedCase, _ judge: Judge) -> Outcome {
        var outcome = Outcome()
        do throws(AttentionError) {
            let run = try execute(prepared.inputs, prepared.problem, prepared)
            outcome.kernel = run.kernel
            outcome.findings = run.damage.map {
                Finding(tensor: "memory", gate: "memory", ratio: .infinity, detail: $0)
            }
            let verdict = try judge.verdict(run.outputs, prepared)
            outcome.findings += verdict.findings
            outcome.ratios = verdict.ratios.largest
            outcome.findings += try probe(prepared, run)
        } catch .unsupported(_, let reason) {
            outcome.skipReason = reason
        } catch {
            outcome.findings.append(Finding(tensor: "call", gate: "error", ratio: .infinity, detail: "\(error)"))
        }
        return outcome
    }

    private func execute(
        _ inputs: AttentionInputs, _ problem: AttentionProblem, _ prepared: PreparedCase, kernel: String? = nil
    ) throws(AttentionError) -> CaseRun {
        var policy = policy
        if let kernel { policy.kernel = kernel }
        return try CaseRun(
            inputs, problem, arenas: prepared.arenas, spec: prepared.spec, backend: backend, policy: policy)
    }

    // MARK: Bits

    private func probe(_ prepared: PreparedCase, _ whole: CaseRun) throws(AttentionError) -> [Finding] {
        // Bits are promised for one device: those of a group may divide the company otherwise than what is alone.
        guard prepared.spec.probe != .none, backend.device.kind != .group else { return [] }
        var random = SeededGenerator(seed: seed, id: "probe:" + prepared.spec.id)
        var findings: [Finding] = []
        for part in try ProbeCutter(prepared).parts(&random) {
            let problem = try AttentionProblem(part.inputs, prepared.options)
            var run = try execute(part.inputs, problem, prepared)
            if run.kernel != whole.kernel {
                // Bits are promised for one kernel: ask for the one that computed the whole.
                do throws(AttentionError) {
                    run = try execute(part.inputs, problem, prepared, kernel: whole.kernel)
                } catch .unsupported {
                    continue
                }
                if run.kernel != whole.kernel { continue }
            }
            findings += try compare(whole.outputs, run.outputs, part, prepared)
            findings += run.damage.map { Finding(tensor: "memory", gate: "memory", ratio: .infinity, detail: $0) }
        }
        return findings
    }

    private func compare(
        _ whole: AttentionOutputs, _ alone: AttentionOutputs, _ part: ProbePart, _ prepared: PreparedCase
    ) throws(AttentionError) -> [Finding] {
        let columns = prepared.problem.shape.valueDimension
        let output = try whole.output.cutHeads(part.heads, columns: columns).cut(axis: 0, part.batch)
        var pairs = [
            ("output", try output.cut(axis: output.rank == 4 ? 2 : 1, part.rows), alone.output)
        ]
        if let mine = whole.logSumExp, let theirs = alone.logSumExp {
            pairs.append(("logSumExp", try mine.cut(part), theirs))
        }
        if let mine = whole.scores, let theirs = alone.scores {
            pairs.append(("scores", try mine.cut(part).cut(axis: 3, part.keys), theirs))
        }
        var findings: [Finding] = []
        for (name, mine, theirs) in pairs {
            guard let difference = try mine.firstDifference(from: theirs) else { continue }
            findings.append(
                Finding(tensor: name, gate: "bits", ratio: .infinity, detail: "\(part.name): \(difference)"))
        }
        return findings
    }
}

extension Tensor {
    /// The part's rows of a tensor `[batch, head, row, …]`.
    fileprivate func cut(_ part: ProbePart) throws(AttentionError) -> Tensor {
        try sliced(axis: 0, part.batch).sliced(axis: 1, part.heads).sliced(axis: 2, part.rows)
    }

    /// The first element whose bits are others, in words; NaN of any kind is one value. `nil` if there is none.
    fileprivate func firstDifference(from other: Tensor) throws(AttentionError) -> String? {
        guard shape == other.shape else { return "shape \(shape) against \(other.shape)" }
        let (a, b) = (try doubles(), try other.doubles())
        for index in a.indices where a[index].bitPattern != b[index].bitPattern && !(a[index].isNaN && b[index].isNaN) {
            return "element \(index) is \(a[index]) in company and \(b[index]) alone"
        }
        return nil
    }
}
