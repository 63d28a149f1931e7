import Foundation
import Testing

@testable import Attention

/// The drawings of the article on masks are what the reference does.
@Suite struct MaskDrawingTests {
    private func article() throws -> String {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        return try String(
            contentsOf: root.appending(path: "Sources/Attention/Documentation.docc/MasksAndShapes.md"), encoding: .utf8)
    }

    /// The keys that get weight, as the article draws them.
    private func drawing(
        _ queries: Int, _ keys: Int, _ mask: AttentionMask, _ change: (inout AttentionInputs) throws -> Void = { _ in }
    ) throws -> String {
        func zeros(_ rows: Int) throws -> Tensor {
            try Tensor([Float](repeating: 0, count: rows), shape: [1, 1, rows, 1])
        }
        var inputs = AttentionInputs(
            query: try zeros(queries), key: try zeros(keys), value: try zeros(keys), mask: mask)
        try change(&inputs)
        let scores = try Device.reference.attend(inputs, .init(scores: .probabilities)).scores
        let weights = try #require(try scores?.floats())
        let columns = weights.count / queries
        return (0..<queries).map { row in
            "    " + weights[row * columns..<(row + 1) * columns].map { $0 > 0 ? "■" : "·" }.joined(separator: " ")
        }.joined(separator: "\n") + "\n\n"
    }

    @Test func theArticleDrawsWhatIsComputed() throws {
        let text = try article() + "\n"
        let past = try Tensor([Float](repeating: 0, count: 3), shape: [1, 1, 3, 1])
        let drawings = [
            try drawing(3, 5, .causal), try drawing(3, 5, .causal(alignment: .bottomRight)),
            try drawing(2, 2, .causal) {
                $0.pastKey = past
                $0.pastValue = past
            },
            try drawing(5, 5, [.causal, .window(left: 1)]), try drawing(4, 4, .window(left: 1, right: 1)),
            try drawing(2, 6, .causal) { $0.keyLengths = [4] },
            try drawing(2, 5, .tensor(Tensor([true, false, true], shape: [3]))),
            try drawing(5, 5, .causal) {
                $0.cumulativeQueryOffsets = [0, 2, 5]
                $0.cumulativeKeyOffsets = [0, 2, 5]
            },
        ]
        var rest = text[...]
        for drawing in drawings {
            let place = try #require(rest.range(of: "\n\n" + drawing), "not in the article in this order:\n\(drawing)")
            rest = rest[place.upperBound...]
        }
        // Every row that is drawn belongs to one of them.
        let drawn = text.split(separator: "\n").filter { $0.hasPrefix("    ") && $0.contains("■") }
        #expect(drawn.count == drawings.reduce(0) { $0 + $1.split(separator: "\n").count })
    }

    @Test func slopesAndSinksAreAsTheArticleSays() throws {
        let zeros = try Tensor([Float](repeating: 0, count: 4), shape: [1, 1, 4, 1])
        var inputs = AttentionInputs(query: zeros, key: zeros, value: zeros, mask: .causal)
        inputs.alibiSlopes = [1]
        let scores = try Device.reference.attend(inputs, .init(scores: .masked)).scores?.floats()
        let cut = -Float.infinity
        #expect(scores == [0, cut, cut, cut, -1, 0, cut, cut, -2, -1, 0, cut, -3, -2, -1, 0])

        let (query, keys) = (try zeros.sliced(axis: 2, 0..<1), try zeros.sliced(axis: 2, 0..<2))
        var sunk = AttentionInputs(query: query, key: keys, value: keys)
        sunk.sinks = [0]
        let weights = try Device.reference.attend(sunk, .init(scores: .probabilities)).scores?.floats()
        #expect(weights == [Float(1) / 3, Float(1) / 3])
    }
}
