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
    let file: CaseFile
    let settings: CaseSettings
    let inputs: AttentionInputs
    let problem: AttentionProblem

    init(file: CaseFile, settings: CaseSettings, inputs: AttentionInputs, problem: AttentionProblem) throws {
        (self.file, self.settings, self.inputs, self.problem) = (file, settings, inputs, problem)
    }

    func findings(_ outputs: AttentionOutputs) throws -> [CaseFinding] {
        var findings = try Self.gates(inputs, settings.options, outputs)
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
            } else {
                let comparison = try Comparison(tensor, stored: stored, settings: settings)
                if !comparison.passes {
                    findings.append(CaseFinding(tensor: name, gate: "stored", ratio: comparison.ratio))
                }
            }
        }
        return findings
    }

    /// What the gates say of `outputs`, against a fresh reference.
    static func gates(
        _ inputs: AttentionInputs, _ options: AttentionOptions, _ outputs: AttentionOutputs
    ) throws -> [CaseFinding] {
        []
    }
}
