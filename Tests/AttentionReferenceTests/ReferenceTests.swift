import AttentionCore
import AttentionReference
import Testing

@Suite struct ReferenceTests {
    @Test func twoKeysByHand() throws {
        let inputs = AttentionInputs(
            query: try Tensor([Float](arrayLiteral: 1, 0), shape: [1, 1, 1, 2]),
            key: try Tensor([Float](arrayLiteral: 1, 5, 3, 7), shape: [1, 1, 2, 2]),
            value: try Tensor([Float](arrayLiteral: 10, 20), shape: [1, 1, 2, 1]))
        let problem = try AttentionProblem(inputs, AttentionOptions(scale: 0.5, logSumExp: true))
        let result = try Reference.evaluate(problem, inputs)
        // Scores are 0.5 and 1.5, so the weights are 1/(1+e) and e/(1+e).
        let e = 2.718281828459045
        #expect(abs(result.output[0] - (10 + 20 * e) / (1 + e)) < 1e-14)
        #expect(abs(result.logSumExp[0] - 1.8132616875182228) < 1e-14)
        #expect(result.rows[0].bestKey == 1 && abs(result.rows[0].lead - 1) < 1e-15)

        let outputs = try problem.makeOutputs(for: inputs) { count throws(AttentionError) in
            try HostStorage(byteCount: count)
        }
        let report = try ReferenceBackend().plan(problem, PlanPolicy()).run(problem, inputs, outputs, RunControl())
        #expect(report.kernel == "reference")
        #expect(
            try Contract.findings(outputs, of: problem, inputs, against: result, isStandardNormal: false).isEmpty)
    }
}
