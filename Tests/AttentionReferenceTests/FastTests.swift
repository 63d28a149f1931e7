import AttentionCore
import Testing

@testable import AttentionReference

/// The bound of ``Precision/fast``: arithmetic in half passes it, mistakes do not.
@Suite struct FastTests {
    /// Calls whose products half precision has room for, by far most of them.
    private static let cases = ValidationTests.cases.filter { $0.scores == nil && $0.valueScale == 1 }

    @Test func arithmeticInHalfPasses() throws {
        var table = RatioTable()
        var (specified, rows) = (0, 0)
        for test in Self.cases {
            for type in [ElementType.float32, .float16, .bfloat16] {
                if type == .float16 && (abs(test.deviation) > 1e3 || test.offset > 0) { continue }
                var test = test
                test.type = type
                let (problem, inputs) = try test.make()
                let reference = try Reference.evaluate(problem, inputs, precision: .fast)
                rows += reference.rows.count
                specified += reference.rows.count { $0.state == .specified }
                for products in HalfSum.Products.allCases {
                    for arithmetic in [FloatAttention.Arithmetic.online, .plain] {
                        // Weights are taken relative to the best key's, not to the sink's.
                        if arithmetic == .plain && test.sink != nil { continue }
                        let outputs = try FloatAttention(arithmetic: arithmetic, products: products).run(
                            problem, inputs)
                        let gates = try Contract.measure(outputs, of: problem, inputs, against: reference)
                        #expect(!gates.contains { ["G1", "G2", "G3", "G4"].contains($0.gate) })
                        for gate in gates {
                            if products != .float { table.note(gate, type, arithmetic, "\(products), \(test)") }
                            #expect(gate.ratio <= 1, "\(products), \(arithmetic): \(gate) for \(test)")
                        }
                    }
                }
            }
        }
        print("half precision against the bound, \(table.runs) runs; \(specified) of \(rows) rows have one\n\(table)")
        #expect(table.runs > 1000)
        #expect(Double(specified) > 0.6 * Double(rows))
    }

    /// Mistakes smaller than what half precision is off by, which no bound of it can see.
    private static let small: Set<Fault> = [
        .weightsBFloat, .sumBFloat, .scoresHalf, .exponentialCoarse, .truncated, .roundedTwice,
    ]

    /// In scores, which are never in half, and what half precision does not touch.
    private static let others: Set<Fault> = [.scoresUnscaled, .probabilitiesOfExcluded]

    static let rows = FaultTests.rows.filter { !small.contains($0.fault) && !others.contains($0.fault) }

    @Test(arguments: rows)
    func mistakesAreCaught(_ row: FaultTests.Row) throws {
        for type in row.types {
            var test = row.test
            test.type = type
            let (problem, inputs) = try test.make()
            let reference = try Reference.evaluate(problem, inputs, precision: .fast)
            func findings(_ fault: Fault?) throws -> [Finding] {
                let outputs = try FloatAttention(arithmetic: row.arithmetic, fault: fault, products: .fused).run(
                    problem, inputs)
                return try Contract.findings(outputs, of: problem, inputs, against: reference)
            }
            let right = try findings(nil)
            #expect(right.isEmpty, "\(type): \(right)")
            let wrong = try findings(row.fault)
            #expect(!wrong.isEmpty, "\(type): nothing was found")
            let gates = wrong.map { "\($0.tensor) \($0.gate)" }.joined(separator: ", ")
            print("fast: fault \(row.fault) \(type): \(gates)")
        }
    }

    /// Half precision breaks the contract of ``Precision/standard``.
    @Test func halfIsNotStandard() throws {
        let (problem, inputs) = try TestCase().make()
        let reference = try Reference.evaluate(problem, inputs)
        let outputs = try FloatAttention(products: .fused).run(problem, inputs)
        let findings = try Contract.findings(outputs, of: problem, inputs, against: reference)
        #expect(findings.contains { $0.gate == "G1" || $0.gate == "G2" }, "\(findings)")
    }

    /// Rows that half precision has no room for have no bound, and those beside them have.
    @Test func whatHalfCannotHoldIsUnspecified() throws {
        func states(_ query: [Float], _ key: [Float], _ value: [Float]) throws -> [ReferenceRow.State] {
            let inputs = AttentionInputs(
                query: try Tensor(query, shape: [1, 1, query.count, 1]),
                key: try Tensor(key, shape: [1, 1, key.count, 1]),
                value: try Tensor(value, shape: [1, 1, value.count, 1]))
            let problem = try AttentionProblem(inputs, AttentionOptions(scale: 1))
            return try Reference.evaluate(problem, inputs, precision: .fast).rows.map(\.state)
        }
        #expect(try states([1, 300], [200, 1], [1, 1]) == [.specified, .unspecified])
        #expect(try states([1], [1, 1], [8_000, 1]) == [.specified])
        #expect(try states([1], [1, 1], [8_001, 1]) == [.unspecified])
        #expect(try states([0, 1e-6, 1], [-50_000, 1], [1, 1]) == [.unspecified, .unspecified, .unspecified])
        #expect(try states([50_000], [0, 0], [1, 1]) == [.unspecified])
        #expect(try states([.nan], [1, 1], [9_000, 1]) == [.notANumber])
    }
}
