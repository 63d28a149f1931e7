/// Who attends to whom: the weights of every layer and head over the tokens of one input, to be looked at.
///
/// ```swift
/// try picture.svg(title: "It was the best of times").write(toFile: "map.svg", atomically: true, encoding: .utf8)
/// ```
public struct AttentionPicture: Sendable {
    /// The weights of one kind of attention.
    public struct Section: Sendable {
        /// `encoder`, `decoder`, `cross`.
        public let name: String
        /// Those who attend, a row each.
        public let queries: [String]
        /// Those who are attended, a column each.
        public let keys: [String]
        /// `layers[layer][head]` has queries × keys weights in row-major order; each row sums up to 1, or to 0.
        public let layers: [[[Float]]]

        /// - Throws: ``AttentionPictureError`` if weights are missing or too many.
        public init(
            name: String, queries: [String], keys: [String], layers: [[[Float]]]
        ) throws(AttentionPictureError) {
            let count = queries.count * keys.count
            for (layer, heads) in layers.enumerated() {
                for (head, weights) in heads.enumerated() where weights.count != count {
                    throw AttentionPictureError(
                        place: "\(name), layer \(layer), head \(head)",
                        expected: "\(count) weights, \(queries.count) × \(keys.count)", found: "\(weights.count)")
                }
            }
            self.name = name
            self.queries = queries
            self.keys = keys
            self.layers = layers
        }
    }

    public let sections: [Section]
    /// Longer titles are cut where they are shown.
    static let titleLetters = 90

    public init(_ sections: [Section]) { self.sections = sections }
}

/// Weights that do not fit their tokens.
public struct AttentionPictureError: Error, Hashable, Sendable, CustomStringConvertible {
    public let place: String
    public let expected: String
    public let found: String

    public var description: String { "\(place): expected \(expected), found \(found)" }
}

extension AttentionPicture.Section {
    /// Weights in steps: what pictures tell apart. Step 0 is left blank.
    static let steps = 12

    /// The step of a weight, by its square root: most weights of long inputs are small, and would all look alike.
    static func step(_ weight: Float) -> Int {
        guard weight > 0 else { return 0 }
        return Int((min(weight, 1).squareRoot() * Float(steps)).rounded())
    }

    /// How much ink a step gets, from 0 to 1.
    static func ink(_ step: Int) -> Double { Double(step) / Double(steps) }
}

/// Text for SVG and HTML.
enum MarkupText {
    /// `text` with what markup would read otherwise written out; characters that XML has no way to hold become `�`.
    static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "\t", "\n", "\r": result += " "
            case _ where scalar.value < 0x20 || scalar.value == 0xFFFE || scalar.value == 0xFFFF: result += "\u{FFFD}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// At most `count` characters.
    static func shortened(_ text: String, to count: Int) -> String {
        text.count <= count ? text : text.prefix(count - 1) + "…"
    }

    /// A number with at most two decimals.
    static func number(_ value: Double) -> String {
        let hundredths = Int((value * 100).rounded())
        let (whole, rest) = (abs(hundredths) / 100, abs(hundredths) % 100)
        let sign = hundredths < 0 ? "-" : ""
        if rest == 0 { return "\(sign)\(whole)" }
        let decimals = rest % 10 == 0 ? "\(rest / 10)" : rest < 10 ? "0\(rest)" : "\(rest)"
        return "\(sign)\(whole).\(decimals)"
    }
}
