import Testing

@testable import Transformers

@Suite("Lists of tokens")
struct TokenListTests {
    static let tokens = [
        "<pad>", "<s>", "</s>", "<unk>", "a", "ab", "abc", "b", "é", "e\u{301}", "日本", " ", "", "👨‍👩‍👧", "👨",
    ]

    @Test(
        "the longest entry at each place, else the unknown token for a scalar",
        arguments: [
            ("", []), ("abcab", [6, 5]), ("abab", [5, 5]), ("bca", [7, 3, 4]), ("é", [8]), ("e\u{301}", [9]),
            ("e\u{302}", [3, 3]), ("日本日", [10, 3]), ("a b", [4, 11, 7]), ("<s>a<s", [1, 4, 3, 3]), ("👨‍👩‍👧", [13]),
            ("👨‍👩", [14, 3, 3]), ("\r\n", [3, 3]),
        ] as [(String, [Int])])
    func longestMatch(_ text: String, _ ids: [Int]) throws {
        let tokenizer = try LongestMatchTokenizer(TokenList(Self.tokens), unknown: 3, special: [0, 1, 2, 3])
        #expect(tokenizer.encode(text) == ids)
    }

    @Test(
        "words between white space, whole or unknown",
        arguments: [
            ("", []), ("  \n", []), ("ab abc", [5, 6]), (" ab\u{3000}\tabx\u{1F}b ", [5, 3, 7]),
            ("é e\u{301}", [8, 9]),
            ("</s> 日本", [2, 10]), ("ab\u{200B}", [3]),
        ] as [(String, [Int])])
    func words(_ text: String, _ ids: [Int]) throws {
        let tokenizer = try WordTokenizer(TokenList(Self.tokens), unknown: 3, special: [0, 1, 2, 3])
        #expect(tokenizer.encode(text) == ids)
    }

    @Test("decoding leaves out special tokens and ids that are none")
    func decoding() throws {
        let list = try TokenList(Self.tokens)
        let special: Set = [0, 1, 2, 3]
        #expect(
            try LongestMatchTokenizer(list, unknown: 3, special: special).decode([1, 6, 3, 10, 99, -1, 2]) == "abc日本")
        #expect(try WordTokenizer(list, unknown: 3, special: special).decode([1, 6, 3, 10, 99, -1, 2]) == "abc 日本")
        #expect(try WordTokenizer(list, unknown: 3).decode([1, 3]) == "<s> <unk>")
    }

    @Test("entries are the same only byte for byte, and each is there once")
    func identity() throws {
        let list = try TokenList(Self.tokens)
        #expect(list.count == Self.tokens.count)
        for (id, token) in Self.tokens.enumerated() {
            #expect(list.id(of: token) == id)
            #expect(list.token(id).map { Array($0.utf8) } == Array(token.utf8))
        }
        #expect(list.id(of: "ac") == nil)
        let error = refusal { _ = try TokenList(["a", "b", "a"]) }
        #expect(error?.kind == .duplicateToken)
        #expect(error?.description.contains("[2]") == true)
        #expect(refusal { _ = try WordTokenizer(list, unknown: 15) }?.kind == .tokenOutOfRange)
        #expect(refusal { _ = try LongestMatchTokenizer(list, unknown: 3, special: [-1]) }?.kind == .tokenOutOfRange)
    }
}
