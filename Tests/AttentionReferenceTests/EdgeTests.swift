import AttentionCore
import AttentionReference
import Testing

/// The edges that SEMANTICS lists, on the reference itself.
@Suite struct EdgeTests {
    private func evaluate(
        query: [Float] = [1, 1], key: [Float] = [0, 0, 0, 0], value: [Float] = [1, 3], mask: AttentionMask = .none,
        options: AttentionOptions = .init(), _ change: (inout AttentionInputs) -> Void = { _ in }
    ) throws -> ReferenceResult {
        var inputs = AttentionInputs(
            query: try Tensor(query, shape: [1, 1, query.count / 2, 2]),
            key: try Tensor(key, shape: [1, 1, key.count / 2, 2]),
            value: try Tensor(value, shape: [1, 1, value.count, 1]), mask: mask)
        change(&inputs)
        return try Reference.evaluate(try AttentionProblem(inputs, options), inputs)
    }

    @Test func emptyRows() throws {
        let closed = try AttentionMask.tensor(Tensor([false, false], shape: [1, 2]))
        let none = try evaluate(mask: closed, options: AttentionOptions(scores: .probabilities))
        #expect(none.output == [0] && none.logSumExp == [-.infinity] && none.scores == [0, 0])
        let sink = try evaluate(mask: closed) { $0.sinks = [2.5] }
        #expect(sink.output == [0] && sink.logSumExp == [2.5])
        let noKeys = try evaluate(key: [], value: [])
        #expect(noKeys.output == [0] && noKeys.logSumExp == [-.infinity])
    }

    @Test func poisonInExcludedKeysNeverShows() throws {
        let one = try AttentionMask.tensor(Tensor([true, false], shape: [1, 2]))
        let result = try evaluate(key: [0, 0, .nan, .infinity], value: [7, .nan], mask: one)
        #expect(result.output == [7] && result.logSumExp == [0])
        let padded = try evaluate(key: [0, 0, .nan, 0], value: [7, .infinity]) { $0.keyLengths = [1] }
        #expect(padded.output == [7])
    }

    @Test func poisonInAttendedOperands() throws {
        #expect(try evaluate(key: [0, 0, .nan, 0]).output[0].isNaN)
        #expect(try evaluate(query: [.nan, 0]).logSumExp[0].isNaN)
        #expect(try evaluate(value: [1, .nan]).output[0].isNaN)
        #expect(try evaluate(value: [1, -.infinity]).output[0].isInfinite)
        let plus = try AttentionMask.tensor(Tensor([Float](arrayLiteral: 0, .infinity), shape: [1, 2]))
        let result = try evaluate(mask: plus)
        #expect(result.output[0].isNaN && result.logSumExp[0].isNaN && result.rows[0].state == .notANumber)
    }

    @Test func rowsBeyondTheLargestScoreAreUnspecified() throws {
        #expect(try evaluate(query: [1e30, 0], key: [1e30, 0, 0, 0]).rows[0].state == .unspecified)
        #expect(try evaluate(query: [1, 0], key: [-.infinity, 0, 0, 0]).rows[0].state == .unspecified)
    }

    @Test func aLeadOf110MakesTheOutputTheValue() throws {
        let result = try evaluate(
            query: [1, 0], key: [200, 0, 0, 0], value: [0, 1e30], options: AttentionOptions(scale: 1))
        #expect(result.output == [0] && result.rows[0].lead == 200 && result.rows[0].bestKey == 0)
        // The sink competes.
        let held = try evaluate(query: [1, 0], key: [200, 0, 0, 0], options: AttentionOptions(scale: 1)) {
            $0.sinks = [150]
        }
        #expect(held.rows[0].lead == 50)
    }

    @Test func emptyShapes() throws {
        for shape in [[0, 1, 2, 4], [1, 0, 2, 4], [1, 1, 0, 4]] {
            let tensor = try Tensor([Float](), shape: shape)
            let inputs = AttentionInputs(query: tensor, key: tensor, value: tensor)
            let result = try Reference.evaluate(try AttentionProblem(inputs), inputs)
            #expect(result.output.isEmpty && result.logSumExp.isEmpty)
        }
    }

    @Test func cancelledCallsThrow() throws {
        let (problem, inputs) = try TestCase().make()
        let control = RunControl()
        control.cancel()
        #expect(throws: AttentionError.cancelled) { try Reference.evaluate(problem, inputs, control: control) }
    }

    /// Outputs that interleave with memory of the caller's: only the elements are written.
    @Test func stridedOutputsTouchNothingElse() throws {
        let (problem, inputs) = try TestCase().make()
        let s = problem.shape
        let memory = try Tensor(
            [Float](repeating: -7, count: s.queryLength * s.valueDimension * 3 + 5),
            shape: [s.queryLength * s.valueDimension * 3 + 5])
        let output = try memory.viewed(
            shape: [1, 1, s.queryLength, s.valueDimension],
            strides: [0, 0, s.valueDimension * 3, 3], offset: 4)
        var outputs = AttentionOutputs(output: output)
        outputs.logSumExp = try Tensor(uninitialized: [1, 1, s.queryLength])
        _ = try ReferenceBackend().plan(problem, PlanPolicy()).run(problem, inputs, outputs, RunControl())
        let reference = try Reference.evaluate(problem, inputs)
        #expect(try Contract.findings(outputs, of: problem, inputs, against: reference).isEmpty)
        let all = try memory.floats()
        for (index, value) in all.enumerated() where index < 4 || (index - 4) % 3 != 0 { #expect(value == -7) }
    }

    /// Many processors and one give the same bits.
    @Test func sharingRowsChangesNothing() throws {
        var test = TestCase()
        test.shape = AttentionShape(
            batch: 2, queryHeads: 4, keyValueHeads: 2, queryLength: 40, keyLength: 90, headDimension: 64)
        let (problem, inputs) = try test.make()
        let first = try Reference.evaluate(problem, inputs)
        let second = try Reference.evaluate(problem, inputs, withBounds: false)
        #expect(first.output == second.output && first.logSumExp == second.logSumExp && second.absolute.isEmpty)
    }

    @Test func doublePrecisionIsTaken() throws {
        var test = TestCase()
        test.type = .float64
        let (problem, inputs) = try test.make()
        let outputs = try problem.makeOutputs(for: inputs) { n throws(AttentionError) in try HostStorage(byteCount: n) }
        _ = try ReferenceBackend().plan(problem, PlanPolicy()).run(problem, inputs, outputs, RunControl())
        #expect(try outputs.output.doubles() == Reference.evaluate(problem, inputs).output)
    }
}
