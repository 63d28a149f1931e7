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

    /// Long inputs too: their maps are images of one pixel a cell.
    @Test func longInputsStaySmall() throws {
        let count = 256
        let tokens = (0..<count).map { "token\($0)" }
        var random = SeededGenerator(state: 7)
        // As models attend: neighbours, a few columns, and a little of everything.
        let heads = (0..<12).map { head in
            (0..<count * count).map { index -> Float in
                let (row, column) = index.quotientAndRemainder(dividingBy: count)
                let noise = Float(random.next() >> 40) / Float(1 << 24)
                if (0...head).contains(abs(row - column)) { return noise / Float(head + 1) }
                return noise * (column % 23 == 0 ? 0.05 : 2 / Float(count))
            }
        }
        let map = AttentionPicture([
            try .init(name: "encoder", queries: tokens, keys: tokens, layers: Array(repeating: heads, count: 6))
        ])
        let (svg, html) = (map.svg(title: "t"), map.html(title: "t"))
        print("256 tokens: \(svg.utf8.count) bytes of SVG, \(html.utf8.count) of HTML")
        #expect(svg.utf8.count < 2_000_000 && html.utf8.count < 2_000_000)
        #expect(svg.components(separatedBy: "<mask ").count - 1 == 72)
        #expect(svg.contains("image-rendering:pixelated") && svg.contains(".i{fill:#7db4ff}"))
        #expect(html.contains("\"isLarge\":true"))
    }

    @Test func imagesBeginAbove64Tokens() throws {
        for count in [64, 65] {
            let picture = try map((0..<count).map { "\($0)" }, layers: 1, heads: 1)
            #expect(picture.svg(title: "").contains("<mask ") == (count == 65))
            #expect(picture.html(title: "").contains("\"isLarge\":\(count == 65)"))
        }
    }

    /// Each pixel is the weight's step: nothing for 0, white for 1.
    @Test func imagesHoldTheWeights() throws {
        let tokens = (0..<70).map { "\($0)" }
        var weights = (0..<70 * 70).map { Float($0 % 97) / 96 }
        (weights[0], weights[1], weights[2], weights[3]) = (.nan, 5, -1, 0.25)
        let section = try AttentionPicture.Section(name: "encoder", queries: tokens, keys: tokens, layers: [[weights]])
        let text = section.image(weights)
        let image = try DecodedImage(Array(#require(Data(base64Encoded: text))))
        #expect((image.width, image.height) == (70, 70))
        #expect(image.values.prefix(4) == [0, 15, 0, 8])
        for (value, weight) in zip(image.values, weights).dropFirst(4) {
            #expect(abs(Float(value) / 15 - weight.squareRoot()) <= 0.5 / 15 + 1e-6)
        }
        #expect(AttentionPicture([section]).svg(title: "").contains("base64,\(text)\""))
        #expect(AttentionPicture([section]).html(title: "").contains("[\"\(text)\"]"))
    }

    /// Odd widths, runs longer than a reference reaches, places farther back than one reaches, and no pattern at all.
    @Test(arguments: [(1, 1), (1, 2), (7, 5), (16, 300), (301, 40), (1023, 130)], [1, 2, 3, 16])
    func pixelsComeBack(size: (width: Int, height: Int), kinds: UInt64) throws {
        var random = SeededGenerator(state: UInt64(size.width) << 8 | kinds)
        let values = (0..<size.width * size.height).map { _ in UInt8(random.next() % kinds) }
        let png = GreyImage.png(values, width: size.width)
        let image = try DecodedImage(png)
        #expect((image.width, image.height) == size)
        #expect(image.values == values)
        if kinds == 1, values.count > 1000 { #expect(png.count < values.count / 20) }
    }

    @Test(arguments: [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")])
    func base64(_ text: String, _ expected: String) { #expect(Base64.text(Array(text.utf8)) == expected) }

    @Test(arguments: [(0.0, "0"), (1.5, "1.5"), (-2.25, "-2.25"), (3.07, "3.07"), (-0.001, "0")])
    func numbers(_ value: Double, _ expected: String) { #expect(MarkupText.number(value) == expected) }
}
