import Foundation
import Testing

@testable import Transformers

@Suite struct AttentionPictureTests {
    private func map(_ tokens: [String], layers: Int = 2, heads: Int = 3) throws -> AttentionPicture {
        let weights = [Float](repeating: 1 / Float(max(tokens.count, 1)), count: tokens.count * tokens.count)
        return AttentionPicture([
            try .init(
                name: "encoder", queries: tokens, keys: tokens,
                layers: [[[Float]]](repeating: [[Float]](repeating: weights, count: heads), count: layers))
        ])
    }

    @Test func weightsHaveToFitTheirTokens() throws {
        #expect(throws: AttentionPictureError.self) {
            try AttentionPicture.Section(name: "encoder", queries: ["a"], keys: ["b", "c"], layers: [[[1]]])
        }
    }

    @Test(arguments: [Float.infinity, .greatestFiniteMagnitude, 2, -1, -.infinity, .nan])
    func numbersThatAreNoWeights(weight: Float) throws {
        let picture = AttentionPicture([
            try .init(name: "encoder", queries: ["a"], keys: ["b"], layers: [[[weight]]])
        ])
        #expect(picture.svg(title: "").contains("<path class=\"k12\" d=") == (weight > 1))
        #expect(picture.html(title: "").contains(weight > 1 ? "[\"/w==\"]" : "[\"AA==\"]"))
    }

    @Test func everyLayerAndHeadHasItsMap() throws {
        let svg = try map(["[CLS]", "a", "[SEP]"]).svg(title: "a")
        for layer in 1...2 { for head in 1...3 { #expect(svg.contains(">layer \(layer), head \(head)<")) } }
        #expect(!svg.contains("layer 3") && !svg.contains("head 4"))
        #expect(svg.contains("prefers-color-scheme:dark"))
        // Tokens are written once an axis; each map shows them.
        #expect(svg.components(separatedBy: "<use ").count - 1 == 6)
    }

    @Test func textCannotEndTheMarkupAroundIt() throws {
        let hostile = "</script><script>alert(1)</script>\"&\u{0}\u{2028}"
        let svg = try map([hostile]).svg(title: hostile)
        let html = try map([hostile]).html(title: hostile)
        #expect(!svg.contains("<script") && !svg.contains("\u{0}"))
        #expect(html.components(separatedBy: "<script").count == 2)
        #expect(html.components(separatedBy: "</script").count == 2)
        #expect(!html.contains("\u{2028}\"") && !html.contains("src="))
    }

    @Test func darkerInkForLargerWeights() {
        #expect(
            AttentionPicture.Section.step(0) == 0 && AttentionPicture.Section.step(1) == AttentionPicture.Section.steps)
        #expect(AttentionPicture.Section.step(.nan) == 0)
        #expect(AttentionPicture.Section.step(0.2) < AttentionPicture.Section.step(0.6))
    }

    @Test func neighboursOfOneStepAreOneLine() throws {
        let section = try AttentionPicture.Section(
            name: "cross", queries: ["a"], keys: ["b", "c", "d"], layers: [[[1, 1, 0]]])
        let svg = AttentionPicture([section]).svg(title: "")
        #expect(svg.contains("d=\"M0 0.5h2\""))
    }

    /// A sentence through a model of 6 layers and 12 heads has to go into a mail.
    @Test func picturesStaySmall() throws {
        let tokens = (0..<24).map { "token\($0)" }
        var state: UInt32 = 1
        let heads = (0..<12).map { _ in
            (0..<24 * 24).map { _ in
                state = state &* 1_664_525 &+ 1_013_904_223
                return Float(state >> 8) / Float(1 << 24) / 12
            }
        }
        let map = AttentionPicture([
            try .init(name: "encoder", queries: tokens, keys: tokens, layers: Array(repeating: heads, count: 6))
        ])
        #expect(map.svg(title: "t").utf8.count < 700_000)
        #expect(map.html(title: "t").utf8.count < 80_000)
    }

    @Test(arguments: [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")])
    func base64(_ text: String, _ expected: String) { #expect(Base64.text(Array(text.utf8)) == expected) }

    @Test(arguments: [(0.0, "0"), (1.5, "1.5"), (-2.25, "-2.25"), (3.07, "3.07"), (-0.001, "0")])
    func numbers(_ value: Double, _ expected: String) { #expect(MarkupText.number(value) == expected) }
}
