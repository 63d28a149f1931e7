import Attention

/// A gate that a result does not pass.
struct CaseFinding {
    let tensor: String
    let gate: String
    /// The error as a multiple of what is allowed.
    let ratio: Double
    /// What was found, where a number does not tell.
    var detail: String?
}

/// Judges the results of one case: by the gates, by the file's own values, and bit by bit where nothing is computed.
struct CaseJudge {
    private let file: CaseFile
    private let settings: CaseSettings
    private let precision: Precision
    private let reference: ReferenceCheck

    /// Evaluates the reference, for results of a precision.
    init(
        file: CaseFile, settings: CaseSettings, inputs: AttentionInputs, problem: AttentionProblem, precision: Precision
    ) throws {
        self.file = file
        self.settings = settings
        self.precision = precision
        reference = try ReferenceCheck(problem, inputs, precision: precision)
    }

    func findings(_ outputs: AttentionOutputs) throws -> [CaseFinding] {
        var findings = try reference.findings(outputs).map { CaseFinding($0) }
        let written = Dictionary(uniqueKeysWithValues: outputs.named)
        for name in CaseFile.results {
            guard let stored = file.expected(name) else { continue }
            guard let tensor = written[name] else {
                findings.append(CaseFinding(tensor: name, gate: "stored", ratio: .infinity))
                continue
            }
            if name.hasPrefix("present_") {
                let isSame =
                    try tensor.elementType == stored.elementType && tensor.shape == stored.shape
                    && tensor.contiguousBytes() == stored.contiguousBytes()
                if !isSame { findings.append(CaseFinding(tensor: name, gate: "bits", ratio: .infinity)) }
            } else if precision == .standard || name == "qk_matmul_output" {
                // The files' tolerances are those of float; scores are in float always.
                let comparison = try Comparison(tensor, stored: stored, settings: settings)
                if !comparison.passes {
                    findings.append(CaseFinding(tensor: name, gate: "stored", ratio: comparison.ratio))
                }
            }
        }
        return findings
    }
}

extension CaseFinding {
    /// A finding under the name that files give its tensor.
    init(_ finding: ReferenceCheck.Finding) {
        let names = [
            "output": "Y", "logSumExp": "log_sum_exp", "scores": "qk_matmul_output", "presentKey": "present_key",
            "presentValue": "present_value",
        ]
        self.init(
            tensor: names[finding.tensor] ?? finding.tensor, gate: finding.gate, ratio: finding.ratio,
            detail: finding.detail)
    }
}
