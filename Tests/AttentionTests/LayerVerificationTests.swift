import Attention
import AttentionCore
import AttentionReference
import Testing

/// The layer cases of a verification pass what is right and fail what is wrong: the reference under another name, with faults.
@Suite struct LayerVerificationTests {
    @Test func theDefinitionPasses() throws {
        let report = try Verifier.run(backend: FaultyLayers(fault: .none), Self.options(.full))
        #expect(report.passed, "\(report)")
        #expect(report.coverage.counts["group"]?["layer"] ?? 0 > 400)
    }

    @Test(arguments: FaultyLayers.Fault.allCases.filter { $0 != .none }) func faultsAreCaught(
        _ fault: FaultyLayers.Fault
    ) throws {
        let report = try Verifier.run(backend: FaultyLayers(fault: fault), Self.options(.quick))
        #expect(report.failed > 0, "\(fault) passes")
    }

    @Test func backendsWithoutLayersSkipThem() throws {
        let report = try Verifier.run(backend: AttentionAlone(), Self.options(.quick))
        #expect(report.failed == 0 && report.skipped == report.cases && report.cases > 60)
    }

    private static func options(_ cases: VerificationOptions.Cases) -> VerificationOptions {
        VerificationOptions(cases: cases, seed: 3, filter: "layer:")
    }
}

private struct AttentionAlone: Backend {
    let inner = ReferenceBackend()
    let device = DeviceDescription(selector: "alone", name: "alone", platform: "none", kind: .native)

    func plan(_ problem: AttentionProblem, _ policy: PlanPolicy) throws(AttentionError) -> any BackendPlan {
        try inner.plan(problem, policy)
    }
    func makeStorage(byteCount: Int) throws(AttentionError) -> any TensorStorage {
        try inner.makeStorage(byteCount: byteCount)
    }
}

struct FaultyLayers: Backend {
    enum Fault: String, CaseIterable, Sendable {
        case none, noBias, otherGELU, noResidual, residualBeforeActivation, halfPrecision, lastRowLost, gapWritten
        case operandWritten, rowsChangeBits, sampleVariance, noEpsilon, sumWithoutResidual, lastTermLost
        case paddingRead, wrongPair, wrongStart, laterTie, valuesNotNormalised, emptySequenceKept, infinityLost
    }

    let fault: Fault
    private let inner = ReferenceBackend()
    let device = DeviceDescription(selector: "faulty", name: "faulty", platform: "none", kind: .native)

    init(fault: Fault) { self.fault = fault }

    func plan(_ problem: AttentionProblem, _ policy: PlanPolicy) throws(AttentionError) -> any BackendPlan {
        try inner.plan(problem, policy)
    }
    func makeStorage(byteCount: Int) throws(AttentionError) -> any TensorStorage {
        try inner.makeStorage(byteCount: byteCount)
    }

    func perform(_ operation: LayerOperation, _ control: RunControl) throws(AttentionError) {
        var changed = operation
        switch (fault, operation) {
        case (.noBias, .linear(let step)): changed = .linear(try Self.linear(step, bias: nil))
        case (.otherGELU, .linear(let step)) where step.activation == .gelu:
            changed = .linear(try Self.linear(step, bias: step.bias, activation: .geluTanh))
        case (.noResidual, .linear(let step)):
            changed = .linear(try Self.linear(step, bias: step.bias, residual: .some(nil)))
        case (.sampleVariance, .normalization(let step)) where step.columns > 1:
            try inner.perform(operation, control)
            guard step.bias == nil else { return }
            let factor = (Double(step.columns - 1) / Double(step.columns)).squareRoot()
            return try step.output.tensor.write(try step.output.tensor.doubles().map { $0 * factor })
        case (.noEpsilon, .normalization(let step)):
            changed = .normalization(
                try NormalizationOperation(
                    step.kind, input: step.input.tensor, residual: step.residual?.tensor, weight: step.weight,
                    bias: step.bias, epsilon: 0, sum: step.sum?.tensor, output: step.output.tensor))
        case (.lastTermLost, .embedding(let step)) where step.terms.count > 1:
            changed = .embedding(try EmbeddingOperation(step.terms.dropLast(), output: step.output.tensor))
        case (.paddingRead, .additiveAttention(let step)):
            changed = .additiveAttention(
                try AdditiveAttentionOperation(
                    query: step.query, key: step.key, value: step.value, weight: step.weight, output: step.output,
                    probabilities: step.probabilities))
        case (.wrongPair, .rotary(let step)):
            changed = .rotary(
                try RotaryOperation(
                    input: step.input, cosines: step.cosines.tensor, sines: step.sines.tensor, starts: step.starts,
                    pairing: step.pairing == .halves ? .interleaved : .halves, output: step.output))
        case (.wrongStart, .rotary(let step)):
            changed = .rotary(
                try RotaryOperation(
                    input: step.input, cosines: step.cosines.tensor, sines: step.sines.tensor,
                    starts: step.starts.map { _ in 0 }, pairing: step.pairing, output: step.output))
        default: break
        }
        try inner.perform(changed, control)
        try spoil(operation)
    }

    private func spoil(_ operation: LayerOperation) throws(AttentionError) {
        switch (fault, operation) {
        case (.residualBeforeActivation, .linear(let step)) where step.residual != nil && step.activation == .relu:
            try step.output.tensor.write(try step.output.tensor.doubles().map { max($0, 0) })
        case (.halfPrecision, .linear(let step)):
            let type = ElementType.float16
            try step.output.tensor.write(try step.output.tensor.doubles().map { type.rounded($0) })
        case (.lastRowLost, .linear(let step)):
            let last = try step.output.tensor.sliced(axis: 0, step.rows - 1..<step.rows)
            try last.write([Double](repeating: .nan, count: step.outputs))
        case (.gapWritten, .linear(let step)) where step.output.rowStride > step.outputs && step.rows > 1:
            try step.output.tensor.viewed(shape: [1], strides: [1], offset: step.output.offset + step.outputs).write([0]
            )
        case (.operandWritten, .normalization(let step)):
            let first = try step.input.tensor.sliced(axis: 0, 0..<1)
            try first.write(try first.doubles().map { $0 + 1 })
        case (.rowsChangeBits, .linear(let step)) where step.rows > 1:
            try step.output.tensor.write(try step.output.tensor.doubles().map { $0 * (1 + 0x1p-23) })
        case (.sumWithoutResidual, .normalization(let step)) where step.residual != nil:
            try step.sum?.tensor.write(try step.input.tensor.doubles())
        case (.laterTie, .selection(let step)) where step.count > 1:
            let row = try step.indices.tensor.sliced(axis: 0, 0..<1)
            try row.write(Array(try row.doubles().reversed()))
        case (.valuesNotNormalised, .selection(let step)):
            try step.values.tensor.write(try step.values.tensor.doubles().map { $0 + 1 })
        case (.emptySequenceKept, .pooling(let step)):
            for (index, pair) in zip(step.offsets, step.offsets.dropFirst()).enumerated() where pair.0 == pair.1 {
                let row = try step.output.tensor.sliced(axis: 0, index..<index + 1)
                try row.write([Double](repeating: 1, count: step.columns))
            }
        case (.infinityLost, .linear(let step)):
            try step.output.tensor.write(try step.output.tensor.doubles().map { $0.isFinite ? $0 : 0 })
        default: break
        }
    }

    private static func linear(
        _ step: LinearOperation, bias: Tensor?, activation: Activation? = nil, residual: Tensor?? = nil
    ) throws(AttentionError) -> LinearOperation {
        try LinearOperation(
            input: step.input.tensor, weight: step.weight, bias: bias, activation: activation ?? step.activation,
            residual: residual ?? step.residual?.tensor, output: step.output.tensor)
    }
}
