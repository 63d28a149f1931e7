/// Turns text from a file into text for a one-line message.
package enum MessageText {
    /// Longest name and longest path shown, in Unicode scalars. A path keeps its end, where the file's name is.
    static let longestName = 60
    static let longestPath = 1024

    /// The name in double quotes, escaped and cut.
    package static func quoted(_ text: String) -> String {
        var shown = "\""
        var count = 0
        for scalar in text.unicodeScalars {
            if count == longestName { return shown + "…\"" }
            shown += scalar == "\"" ? "\\\"" : scalar == "\\" ? "\\\\" : visible(scalar)
            count += 1
        }
        return shown + "\""
    }

    package static func path(_ path: String) -> String {
        let scalars = path.unicodeScalars
        let tail = scalars.suffix(longestPath)
        return (tail.startIndex == scalars.startIndex ? "" : "…") + tail.map(visible).joined()
    }

    package static func tensor(_ name: String) -> String { "tensor " + quoted(name) }

    /// `F32 [2, 3]`; at most eight extents are shown.
    package static func type(_ elementType: TensorFileElementType, _ shape: [Int]) -> String {
        let extents = shape.prefix(8).map(String.init).joined(separator: ", ")
        return "\(elementType.rawValue) [\(extents)\(shape.count > 8 ? ", …" : "")]"
    }

    /// One byte of a header: `'x'`, or `byte 0x0A` when it cannot be shown.
    package static func byte(_ byte: UInt8?) -> String {
        guard let byte else { return "the end of the header" }
        if (0x21...0x7E).contains(byte) { return "'\(Character(Unicode.Scalar(byte)))'" }
        let digits = String(byte, radix: 16, uppercase: true)
        return "byte 0x" + (digits.count < 2 ? "0" : "") + digits
    }

    /// `1 byte`, `2 bytes`.
    package static func bytes(_ count: some BinaryInteger) -> String { count == 1 ? "1 byte" : "\(count) bytes" }

    /// Whatever could end the line, move the cursor or reorder the text becomes `\u{…}`.
    private static func visible(_ scalar: Unicode.Scalar) -> String {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned:
            "\\u{\(String(scalar.value, radix: 16, uppercase: true))}"
        default: String(scalar)
        }
    }
}
