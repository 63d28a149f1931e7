/// Turns text into the numbers of a vocabulary's entries, and back.
///
/// A token id is the place of an entry in the vocabulary, which is the row of an embedding table.
public protocol Tokenizer: Sendable {
    /// One more than the largest token id.
    var vocabularyCount: Int { get }

    /// The token ids of `text`, with whatever the tokenizer puts around it, cut to its longest length.
    func encode(_ text: String) -> [Int]

    /// The text of `tokens`, special tokens left out. Ids that stand for no token are left out too.
    func decode(_ tokens: [Int]) -> String

    /// The vocabulary's entry with this id, or nil.
    func token(_ id: Int) -> String?

    /// The id of an entry, compared byte for byte, or nil.
    func id(of token: String) -> Int?
}
