import AttentionCore
import AttentionReference

/// Makes one step of a layer with operands of its own.
protocol LayerCaseMaker: Sendable {
    func make(_ tensors: inout LayerTensors) throws(AttentionError) -> LayerOperation
}

/// One step of a layer that a backend is held to.
struct LayerCase: Sendable {
    /// `layer:linear:r8i33o7-f16-gelu-residual`.
    let id: String
    var isOnDevice = false
    let maker: any LayerCaseMaker

    func run(_ backend: any Backend, seed: UInt64) -> CaseRunner.Outcome {
        var outcome = CaseRunner.Outcome()
        do throws(AttentionError) {
            var tensors = LayerTensors(backend, isOnDevice: isOnDevice, random: SeededGenerator(seed: seed, id: id))
            let operation = try maker.make(&tensors)
            outcome.kernel = operation.name
            // Before the call: an operand that it wrongly changes is not what the result is held to.
            let expected = try LayerReference.evaluate(operation)
            try backend.perform(operation, RunControl())
            for finding in try LayerReference.measure(expected) {
                if finding.ratio > 1 { outcome.findings.append(finding) }
                outcome.ratios[finding.gate] = max(outcome.ratios[finding.gate] ?? 0, finding.ratio)
            }
            for arena in tensors.arenas {
                guard let damage = try arena.damage() else { continue }
                outcome.findings.append(
                    Finding(tensor: "memory", gate: "memory", ratio: .infinity, detail: damage))
            }
            if let finding = try lastRowAlone(operation, backend) { outcome.findings.append(finding) }
        } catch .unsupported(_, let reason) {
            outcome.skipReason = reason
        } catch {
            outcome.findings.append(Finding(tensor: "call", gate: "error", ratio: .infinity, detail: "\(error)"))
        }
        return outcome
    }

    /// Compares the last row with what it is without the others: their number must not change a bit of it.
    private func lastRowAlone(_ operation: LayerOperation, _ backend: any Backend) throws(AttentionError) -> Finding? {
        // A residual that the result has taken the place of is gone.
        guard case .linear(let step) = operation, step.rows > 1,
            step.residual?.tensor.storage !== step.output.tensor.storage
        else { return nil }
        func last(_ matrix: Matrix) throws(AttentionError) -> Tensor {
            try matrix.tensor.sliced(axis: 0, matrix.rows - 1..<matrix.rows)
        }
        let alone = try Tensor(uninitialized: [1, step.outputs])
        let row = LayerOperation.linear(
            try LinearOperation(
                input: try last(step.input), weight: step.weight, bias: step.bias, activation: step.activation,
                residual: try step.residual.map(last), output: alone))
        try backend.perform(row, RunControl())
        let (company, own) = (try last(step.output).doubles(), try alone.doubles())
        for (index, pair) in zip(company, own).enumerated() where pair.0 != pair.1 && !(pair.0.isNaN && pair.1.isNaN) {
            return Finding(
                tensor: "output", gate: "bits", ratio: .infinity,
                detail: "element \(index) of the last row is \(pair.0) in company and \(pair.1) alone")
        }
        return nil
    }
}
