/// Splits at white space; a word that is no entry is the unknown token.
///
/// White space is Unicode's, and the information separators U+001C to U+001F. Words are compared byte for byte, without
/// normalisation.
public struct WordTokenizer: Tokenizer {
    private let list: TokenList
    private let unknown: Int
    private let special: Set<Int>

    /// - Parameters:
    ///   - list: the entries.
    ///   - unknown: the id that a word which is no entry gets.
    ///   - special: ids that decoding leaves out.
    /// - Throws: ``CheckpointError`` of kind `tokenOutOfRange`.
    public init(_ list: TokenList, unknown: Int, special: Set<Int> = []) throws(CheckpointError) {
        try list.checked(special.union([unknown]))
        self.list = list
        self.unknown = unknown
        self.special = special
    }

    public var vocabularyCount: Int { list.count }

    public func token(_ id: Int) -> String? { list.token(id) }

    public func id(of token: String) -> Int? { list.id(of: token) }

    public func encode(_ text: String) -> [Int] {
        text.withUTF8Bytes { bytes in
            let tables = ScalarTables.shared
            var ids: [Int] = []
            var start = 0
            var position = 0
            while position < bytes.count {
                let (scalar, next) = ScalarBytes.decode(bytes, position)
                if tables.kind(scalar).contains(.separator) || (0x1C...0x1F).contains(scalar) {
                    if start < position { ids.append(id(of: bytes, start..<position)) }
                    start = next
                }
                position = next
            }
            if start < position { ids.append(id(of: bytes, start..<position)) }
            return ids
        }
    }

    private func id(of bytes: UnsafeBufferPointer<UInt8>, _ word: Range<Int>) -> Int {
        let match = list.vocabulary.trie.longestMatch(bytes, from: word.lowerBound, to: word.upperBound)
        guard let match, match.end == word.upperBound else { return unknown }
        return match.value
    }

    /// The entries with one space between them.
    public func decode(_ tokens: [Int]) -> String {
        tokens.lazy.filter { !special.contains($0) }.compactMap(list.token).joined(separator: " ")
    }
}
