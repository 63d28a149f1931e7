/// Which texts may be keys of a dictionary.
enum KeyText {
    /// Most combining marks in a row; the limit of Unicode's stream-safe text format (UAX #15).
    static let longestMarkRun = 30

    /// Whether hashing takes time in proportion to the length. Swift sorts each run of combining marks before it hashes, in
    /// quadratic time: 57 s were measured for one key of 320,000 alternating marks.
    static func isHashable(_ text: String) -> Bool {
        var run = 0
        for scalar in text.unicodeScalars {
            let isMark = !scalar.isASCII && scalar.properties.canonicalCombiningClass != .notReordered
            run = isMark ? run + 1 : 0
            if run > longestMarkRun { return false }
        }
        return true
    }
}
