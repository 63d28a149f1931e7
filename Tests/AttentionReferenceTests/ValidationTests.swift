import AttentionCore
import Testing

@testable import AttentionReference

/// Correct single-precision arithmetic passes every gate, and by how much.
@Suite struct ValidationTests {
    /// Shapes from one key to 4096, D from 1 to 256, and everything that a score may be added up from.
    static let cases: [TestCase] = {
        var all: [TestCase] = []
        func add(_ change: (inout TestCase) -> Void) {
            var test = TestCase()
            test.seed = UInt64(all.count + 1)
            change(&test)
            all.append(test)
        }
        let sizes: [(Int, Int)] = [(1, 64), (2, 1), (7, 32), (33, 5), (64, 128), (257, 256), (700, 64), (4096, 16)]
        for (keys, depth) in sizes {
            for deviation in [1, 16, 1e3, 1e4] {
                add {
                    $0.shape = AttentionShape(queryLength: 2, keyLength: keys, headDimension: depth, valueDimension: 40)
                    $0.deviation = deviation
                }
            }
            add {
                $0.shape = AttentionShape(queryLength: 2, keyLength: keys, headDimension: depth, valueDimension: 40)
                $0.offset = 7e3
            }
        }
        for cap in [0.5, 5, 50.0] {
            for deviation in [1, 16, 1e3] { add { ($0.softcap, $0.deviation) = (cap, deviation) } }
        }
        for mask in [TestCase.Mask.bool, .small, .large, .closed, .short] {
            for deviation in [1, 1e3] { add { ($0.mask, $0.deviation) = (mask, deviation) } }
            add { ($0.mask, $0.softcap, $0.sink) = (mask, 5, 2) }
        }
        for slope in [1e-3, 0.5, 8, 300, -0.25] {
            add {
                ($0.alibi, $0.shape) = (
                    slope, AttentionShape(queryHeads: 2, queryLength: 3, keyLength: 300, headDimension: 32)
                )
            }
        }
        for sink in [-1e4, -200, -30, 0, 3, 12, 30, 85, 200, 1e4] {
            for deviation in [1, 16, 1e3] {
                add {
                    ($0.sink, $0.deviation) = (sink, deviation)
                    $0.shape = AttentionShape(queryHeads: 2, queryLength: 3, keyLength: 50, headDimension: 32)
                }
            }
        }
        for scale in [0, -0.3, 1e-6, 3, 40, -2000] { add { $0.scale = scale } }
        for size in [1e-36, 1e-30, 1e30] { add { $0.valueScale = size } }
        for mode in ScoreOutput.allCases {
            for deviation in [1, 1e3] {
                add { ($0.scores, $0.deviation, $0.mask, $0.isCausal) = (mode, deviation, .small, true) }
                add { ($0.scores, $0.deviation, $0.softcap, $0.sink, $0.alibi) = (mode, deviation, 20, 1, 0.1) }
            }
        }
        // G4 wants eight rows or more.
        for (cap, slope, sink) in [(0, 0, nil), (20, 0, nil), (0, 0.5, nil), (0, 0, 1)] as [(Double, Double, Double?)] {
            for deviation in [1, 16, 1e3] {
                for mask in [TestCase.Mask.none, .small, .large] {
                    add {
                        ($0.softcap, $0.alibi, $0.sink, $0.deviation, $0.mask) = (cap, slope, sink, deviation, mask)
                        $0.shape = AttentionShape(queryHeads: 2, queryLength: 8, keyLength: 60, headDimension: 48)
                    }
                }
            }
        }
        add { ($0.isCausal, $0.past, $0.windowLeft) = (true, 20, 30) }
        add { ($0.lengths, $0.isCausal, $0.poisonsValue) = ([40], true, true) }
        add { ($0.packed, $0.isCausal, $0.alignment) = (([0, 1, 4], [0, 30, 64]), true, .bottomRight) }
        return all
    }()

    @Test func correctArithmeticPasses() throws {
        var table = RatioTable()
        for test in Self.cases {
            for type in [ElementType.float32, .float16, .bfloat16] {
                // Half precision cannot hold these numbers.
                if type == .float16 && (abs(test.deviation) > 1e3 || test.offset > 0 || test.valueScale != 1) {
                    continue
                }
                var test = test
                test.type = type
                let (problem, inputs) = try test.make()
                let reference = try Reference.evaluate(problem, inputs)
                for arithmetic in FloatAttention.Arithmetic.allCases {
                    let outputs = try FloatAttention(arithmetic: arithmetic).run(problem, inputs)
                    let gates = try Contract.measure(
                        outputs, of: problem, inputs, against: reference, isStandardNormal: test.isStandardNormal)
                    for gate in gates {
                        table.note(gate, type, arithmetic, "\(test)")
                        #expect(gate.ratio <= 1, "\(arithmetic): \(gate) for \(test)")
                    }
                }
            }
        }
        print("plain Float against the gates, \(table.runs) runs: the largest share of what each allows\n\(table)")
        #expect(table.runs > 1500)
    }
}

/// The largest ratio of each gate, by type.
struct RatioTable: CustomStringConvertible {
    private var largest: [String: [ElementType: (ratio: Double, place: String)]] = [:]
    private(set) var runs = 0

    mutating func note(
        _ gate: Finding, _ type: ElementType, _ arithmetic: FloatAttention.Arithmetic, _ test: String
    ) {
        if gate.tensor == "output" && gate.gate == "G0" { runs += 1 }
        let name = "\(gate.tensor) \(gate.gate)"
        if let known = largest[name]?[type], known.ratio >= gate.ratio { return }
        largest[name, default: [:]][type] = (gate.ratio, "\(arithmetic), \(test)")
    }

    var description: String {
        largest.keys.sorted().map { name in
            let row = [ElementType.float32, .float16, .bfloat16].map { type in
                "\(type) " + (largest[name]?[type].map { "\((($0.ratio) * 1000).rounded() / 1000)" } ?? "-")
            }
            let worst = largest[name]?.values.max { $0.ratio < $1.ratio }?.place ?? ""
            return "  \(name): \(row.joined(separator: "  "))   [\(worst)]"
        }.joined(separator: "\n")
    }
}
