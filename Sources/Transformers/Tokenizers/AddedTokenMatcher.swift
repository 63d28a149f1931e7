/// Finds added tokens in a text: the first of them, of those that begin there the longest, and so on behind it.
struct AddedTokenMatcher: Sendable {
    private let tokens: [AddedToken]
    private var trie = ByteTrie()
    private var beginsToken = [Bool](repeating: false, count: 256)

    /// A part of a text: a token, or bytes between tokens.
    enum Part {
        case token(Int)
        case text(UnsafeBufferPointer<UInt8>)
    }

    /// - Parameter content: what to look for in place of a token's content.
    init(_ tokens: [AddedToken], content: (AddedToken) -> String) {
        self.tokens = tokens
        for (index, token) in tokens.enumerated() {
            let text = content(token)
            guard let first = text.utf8.first else { continue }
            beginsToken[Int(first)] = true
            trie.insert(text, value: Int32(truncatingIfNeeded: index))
        }
    }

    var isEmpty: Bool { tokens.isEmpty }

    /// Calls `body` with the parts of valid UTF-8, from left to right, until it returns false. False if it did.
    @discardableResult
    func forEachPart(of bytes: UnsafeBufferPointer<UInt8>, _ body: (Part) -> Bool) -> Bool {
        var done = 0
        var position = 0
        while position < bytes.count {
            guard beginsToken[Int(bytes[position])],
                let match = trie.longestMatch(bytes, from: position, to: bytes.count)
            else {
                position += 1
                continue
            }
            let token = tokens[match.value]
            var start = position
            var end = match.end
            position = match.end
            if token.isSingleWord {
                if start > 0, WordScalars.isWord(WordScalars.last(bytes, before: start)) { continue }
                if end < bytes.count, WordScalars.isWord(ScalarBytes.decode(bytes, end).scalar) { continue }
            }
            if token.stripsLeft {
                while start > done, WordScalars.isSpace(WordScalars.last(bytes, before: start)) {
                    start = WordScalars.startOfLast(bytes, before: start)
                }
            }
            if token.stripsRight {
                while end < bytes.count {
                    let (scalar, next) = ScalarBytes.decode(bytes, end)
                    guard WordScalars.isSpace(scalar) else { break }
                    end = next
                }
                position = end
            }
            if start > done, !body(.text(UnsafeBufferPointer(rebasing: bytes[done..<start]))) { return false }
            if !body(.token(token.id)) { return false }
            done = end
        }
        return done == bytes.count || body(.text(UnsafeBufferPointer(rebasing: bytes[done...])))
    }
}

/// What the regular expressions `\w` and `\s` match, as Unicode's technical standard 18 defines them.
private enum WordScalars {
    static func startOfLast(_ bytes: UnsafeBufferPointer<UInt8>, before end: Int) -> Int {
        var start = end - 1
        while start > 0, !ScalarBytes.isStart(bytes[start]) { start -= 1 }
        return start
    }

    static func last(_ bytes: UnsafeBufferPointer<UInt8>, before end: Int) -> UInt32 {
        ScalarBytes.decode(bytes, startOfLast(bytes, before: end)).scalar
    }

    static func isSpace(_ scalar: UInt32) -> Bool { Unicode.Scalar(scalar)?.properties.isWhitespace ?? false }

    static func isWord(_ scalar: UInt32) -> Bool {
        // The expressions that this follows are of Unicode 16.
        guard let properties = Unicode.Scalar(scalar)?.properties, let age = properties.age, age.major <= 16 else {
            return false
        }
        if properties.isAlphabetic || properties.isJoinControl { return true }
        switch properties.generalCategory {
        case .nonspacingMark, .spacingMark, .enclosingMark, .decimalNumber, .connectorPunctuation: return true
        default: return false
        }
    }
}
