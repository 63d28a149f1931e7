/// Takes the longest entry at each place of the text, from left to right; a character that begins none is the unknown token.
///
/// A character is a Unicode scalar: an accent that is a scalar of its own is a character of its own, so what is read does not
/// depend on the Unicode version that tells what belongs together. Entries are compared byte for byte, without normalisation.
/// Special tokens written out in the text are entries like any other. Time is linear in the text's length, times the longest
/// entry's at worst.
public struct LongestMatchTokenizer: Tokenizer {
    private let list: TokenList
    private let unknown: Int
    private let special: Set<Int>

    /// - Parameters:
    ///   - list: the entries.
    ///   - unknown: the id that an unmatched character gets.
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
            var ids: [Int] = []
            var position = 0
            while position < bytes.count {
                if let match = list.vocabulary.trie.longestMatch(bytes, from: position, to: bytes.count) {
                    ids.append(match.value)
                    position = match.end
                } else {
                    ids.append(unknown)
                    position = ScalarBytes.decode(bytes, position).next
                }
            }
            return ids
        }
    }

    /// The entries with nothing between them.
    public func decode(_ tokens: [Int]) -> String {
        tokens.lazy.filter { !special.contains($0) }.compactMap(list.token).joined()
    }
}
