import AttentionCore
import Foundation
import Testing

@testable import AttentionReference

/// Where the gates say more than the first form of the contract did: for each, a correct computation that the first form fails.
@Suite struct CorrectionTests {
    private func largest(
        _ outputs: AttentionOutputs, _ reference: ReferenceResult, _ allowed: (Int) -> Double
    ) throws -> Double {
        let found = try outputs.output.doubles()
        return found.indices.map { index in
            let error = abs(found[index] - reference.output[index])
            return error == 0 ? 0 : error / allowed(index)
        }.max() ?? 0
    }

    /// The weight of a key 95 behind is subnormal: a device that flushes it loses all of a value of 10³⁰, and the best key's is 0.
    @Test func vanishingWeightsNeedAnAbsoluteTerm() throws {
        let inputs = AttentionInputs(
            query: try Tensor([Float(1)], shape: [1, 1, 1, 1]),
            key: try Tensor([Float](arrayLiteral: 95, 0), shape: [1, 1, 2, 1]),
            value: try Tensor([Float](arrayLiteral: 0, 1e30), shape: [1, 1, 2, 1]))
        let problem = try AttentionProblem(inputs)
        let reference = try Reference.evaluate(problem, inputs)
        let outputs = try FloatAttention(arithmetic: .flushed).run(problem, inputs)
        let without = try largest(outputs, reference) { index in
            reference.errorSums(index, reference.rows[index], dimension: 1).largest - reference.underflow[index]
        }
        print("flushed weight: error/det without the underflow term \(without)")
        #expect(without > 1)
        #expect(try Contract.findings(outputs, of: problem, inputs, against: reference).isEmpty)
    }

    /// Scores of 10⁸ are off by tens: a lead of 120 does not make the others vanish then.
    @Test func aLeadMustSurviveTheErrorOfTheScores() throws {
        var random = NormalGenerator(seed: 5)
        var failures = 0
        var leads = 0
        for _ in 0..<200 {
            // Both keys are the same but for what makes a lead of about 120.
            let common = (0..<64).map { _ in 3e4 * random.normal() }
            let query = (0..<64).map { _ in 3e3 * random.normal() }
            let spread = (0..<64).map { _ in random.normal() * 1e-2 }
            let inputs = AttentionInputs(
                query: try Tensor(query, shape: [1, 1, 1, 64]),
                key: try Tensor(common + zip(common, spread).map { $0 + $1 }, shape: [1, 1, 2, 64]),
                value: try Tensor([Float](arrayLiteral: 1, 2), shape: [1, 1, 2, 1]))
            let problem = try AttentionProblem(inputs, AttentionOptions(scale: 1))
            let reference = try Reference.evaluate(problem, inputs)
            let row = reference.rows[0]
            guard row.lead > 110, row.lead < 400 else { continue }
            leads += 1
            let outputs = try FloatAttention().run(problem, inputs)
            let best = row.bestKey == 0 ? 1.0 : 2.0
            if try outputs.output.doubles()[0] != best { failures += 1 }
            #expect(try Contract.findings(outputs, of: problem, inputs, against: reference).isEmpty)
        }
        print("leads over 110 at scores of 10⁸: \(failures) of \(leads) correct results are not exact")
        #expect(failures > 0)
    }

    /// A sink far ahead makes every weight e^(s − sink): its distance counts, as that of any best key would.
    @Test func aSinkCountsAsAKey() throws {
        var worst = 0.0
        for seed in 1...50 {
            var test = TestCase()
            test.seed = UInt64(seed)
            test.shape = AttentionShape(queryLength: 4, keyLength: 3, headDimension: 1, valueDimension: 16)
            test.sink = 70 + Double(seed) * 0.17
            let (problem, inputs) = try test.make()
            let reference = try Reference.evaluate(problem, inputs)
            for arithmetic in FloatAttention.Arithmetic.allCases where arithmetic != .flushed {
                let outputs = try FloatAttention(arithmetic: arithmetic).run(problem, inputs)
                let ratio = try largest(outputs, reference) { index in
                    // What is left of C1 and C2 if the sink has no term and distances are from the best key.
                    let row = index / 16
                    let facts = reference.rows[row]
                    let sink = problem.sinks[0]
                    let p = exp(sink - reference.logSumExp[row])
                    let size = abs(reference.output[index])
                    let best = sink + facts.lead
                    var sums = reference.errorSums(index, facts, dimension: 1)
                    sums.weightedTerms -= size * p * sink
                    sums.weightedGaps -= (sink - best) * (sums.absolute + size * (1 - p))
                    return 2 * sums.usual
                }
                worst = max(worst, ratio)
                let findings = try Contract.findings(outputs, of: problem, inputs, against: reference)
                #expect(findings.isEmpty, "\(arithmetic), seed \(seed): \(findings)")
            }
        }
        print("a sink of 70 to 79 over three keys: error/(2·acc) without terms of the sink \(worst)")
        #expect(worst > 1)
    }

    /// The elements of a row share its weights' errors, so that G4's average over one row averages nothing.
    @Test func oneRowIsNoAverage() throws {
        var test = TestCase()
        test.seed = 85
        test.shape = AttentionShape(queryLength: 1, keyLength: 60, headDimension: 2, valueDimension: 64)
        test.deviation = 16
        let (problem, inputs) = try test.make()
        let reference = try Reference.evaluate(problem, inputs)
        let outputs = try FloatAttention().run(problem, inputs)
        let found = try outputs.output.doubles()
        let squares = found.indices.map { index in
            let share =
                abs(found[index] - reference.output[index])
                / reference.errorSums(index, reference.rows[0], dimension: 2).usual
            return share * share
        }
        let rms = (squares.reduce(0, +) / Double(squares.count)).squareRoot()
        print("64 elements of one row: RMS(error/acc) \(rms)")
        #expect(rms > Contract.largestRMS)
        #expect(try Contract.findings(outputs, of: problem, inputs, against: reference).isEmpty)
    }
}
