import AttentionCore
import AttentionReference
import Testing

/// Wrong arithmetic is caught: each row is a mistake, a call that shows it, and the types in which the gates must see it.
@Suite struct FaultTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let fault: Fault
        var test: TestCase
        var arithmetic = FloatAttention.Arithmetic.plain
        var types: [ElementType] = [.float32, .float16, .bfloat16]

        var testDescription: String { "\(fault)" }
    }

    private static func row(
        _ fault: Fault, _ arithmetic: FloatAttention.Arithmetic = .plain,
        types: [ElementType] = [.float32, .float16, .bfloat16], _ change: (inout TestCase) -> Void = { _ in }
    ) -> Row {
        var test = TestCase()
        test.seed = 77
        test.shape = AttentionShape(
            batch: 1, queryHeads: 4, keyValueHeads: 2, queryLength: 5, keyLength: 41, headDimension: 24,
            valueDimension: 20)
        change(&test)
        return Row(fault: fault, test: test, arithmetic: arithmetic, types: types)
    }

    static let rows: [Row] = [
        row(.scaleDropped), row(.scaleByValueDimension),
        row(.softcapDropped) { $0.softcap = 3 }, row(.softcapNotScaledBack) { $0.softcap = 3 },
        row(.softcapAfterMask) { ($0.softcap, $0.mask) = (3, .small) },
        row(.maskTwice) { $0.mask = .small }, row(.maskDropped) { $0.mask = .small },
        row(.maskOfRowZero) { $0.mask = .small }, row(.boolMaskInverted) { $0.mask = .bool },
        row(.maskedByFiniteNumber) { $0.mask = .closed }, row(.shortMaskAttended) { $0.mask = .short },
        row(.causalOffByOne) { $0.isCausal = true },
        row(.causalIgnoresOffset) { ($0.isCausal, $0.alignment) = (true, .bottomRight) },
        row(.windowLeftExclusive) { ($0.windowLeft, $0.alignment) = (7, .bottomRight) },
        row(.windowRightInclusiveTwice) { $0.windowRight = 3 },
        row(.alibiSign) { $0.alibi = 0.5 }, row(.alibiOfHeadZero) { $0.alibi = 0.5 },
        row(.alibiIgnoresOffset) { ($0.alibi, $0.lengths) = (0.5, [30]) },
        row(.sinkMissing) { $0.sink = 1 }, row(.sinkTwice) { $0.sink = 1 }, row(.sinkOfHeadZero) { $0.sink = 1 },
        row(.logSumExpWithoutSink) { $0.sink = 1 }, row(.logSumExpBase2),
        row(.lengthsIgnored) { $0.lengths = [30] }, row(.pastIgnored) { $0.past = 12 },
        row(.otherSequencesAttended) { $0.packed = ([0, 2, 5], [0, 20, 41]) },
        row(.tailKeyDropped), row(.wrongHead), row(.columnShift),
        row(.rescaleDropped, .online), row(.maximumNotSubtracted) { ($0.deviation, $0.offset) = (1, 200) },
        row(.weightsBFloat, types: [.float32, .float16]), row(.sumBFloat),
        row(.scoresHalf, types: [.float32]), row(.exponentialCoarse, types: [.float32, .float16]),
        row(.truncated), row(.roundedTwice, types: [.float16, .bfloat16]),
        row(.scoresUnscaled) { $0.scores = .scaled },
        row(.probabilitiesOfExcluded) { ($0.scores, $0.isCausal) = (.probabilities, true) },
        row(.presentSwapped) { $0.past = 12 },
        row(.emptyRowMean) { $0.mask = .closed }, row(.nanDropped) { $0.poisonsValue = true },
    ]

    @Test(arguments: rows)
    func isCaught(_ row: Row) throws {
        for type in row.types {
            var test = row.test
            test.type = type
            let (problem, inputs) = try test.make()
            let reference = try Reference.evaluate(problem, inputs)
            func findings(_ fault: Fault?) throws -> [Finding] {
                let outputs = try FloatAttention(arithmetic: row.arithmetic, fault: fault).run(problem, inputs)
                return try Contract.findings(
                    outputs, of: problem, inputs, against: reference, isStandardNormal: test.isStandardNormal)
            }
            let right = try findings(nil)
            #expect(right.isEmpty, "\(type): \(right)")
            let wrong = try findings(row.fault)
            #expect(!wrong.isEmpty, "\(type): nothing was found")
            print("fault \(row.fault) \(type): \(wrong.map { "\($0.tensor) \($0.gate)" }.joined(separator: ", "))")
        }
    }

    @Test func everyFaultHasARow() {
        #expect(Set(Self.rows.map(\.fault)) == Set(Fault.allCases))
    }
}
