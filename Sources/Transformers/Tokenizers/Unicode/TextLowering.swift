/// Lower case of whole texts, as Python's `str.lower` gives it: scalar by scalar, but Σ at the end of a word becomes ς.
enum TextLowering {
    static func lowered(_ text: String) -> String {
        let tables = ScalarTables.shared
        let scalars = Array(text.unicodeScalars)
        var output: [UInt8] = []
        output.reserveCapacity(text.utf8.count)
        for (place, scalar) in scalars.enumerated() {
            switch scalar.value {
            case 0x3A3: ScalarBytes.append(isFinal(place, scalars) ? 0x3C2 : 0x3C3, to: &output)
            case 0x130:
                output.append(0x69)
                ScalarBytes.append(0x307, to: &output)
            default: ScalarBytes.append(tables.lower(scalar.value), to: &output)
            }
        }
        return String(decoding: output, as: UTF8.self)
    }

    /// Unicode's condition Final_Sigma: a cased letter stands before and none after, marks and the like passed over. Those are
    /// passed at most twice for each run of them, as no sigma is among them.
    private static func isFinal(_ place: Int, _ scalars: [Unicode.Scalar]) -> Bool {
        let before = scalars[..<place].last { !$0.properties.isCaseIgnorable }
        let after = scalars[(place + 1)...].first { !$0.properties.isCaseIgnorable }
        return before?.properties.isCased == true && after?.properties.isCased != true
    }
}
