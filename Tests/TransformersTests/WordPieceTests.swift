import Testing

@testable import Transformers

@Suite("WordPiece")
struct WordPieceTests {
    static let special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"].enumerated().map {
        AddedToken($0.element, id: $0.offset)
    }

    static func tokenizer(
        _ normalizer: BERTNormalizer = BERTNormalizer(), added: [AddedToken] = special, longest: Int? = nil
    ) throws -> WordPieceTokenizer {
        var options = WordPieceTokenizer.Options()
        options.normalizer = normalizer
        options.leading = [2]
        options.trailing = [3]
        options.longestSequence = longest
        return try WordPieceTokenizer(vocabulary: SmallVocabulary.tokens, addedTokens: added, options: options)
    }

    @Test("ids are those of the Rust crate", arguments: SmallVocabulary.expectations)
    func ids(_ expectation: SmallVocabulary.Expectation) throws {
        let tokenizer = try Self.tokenizer(expectation.normalizer)
        #expect(expectation.ids.count == SmallVocabulary.texts.count)
        for (text, ids) in zip(SmallVocabulary.texts, expectation.ids) {
            #expect(tokenizer.encode(text) == [2] + ids + [3], "\(text.debugDescription)")
        }
    }

    @Test("every length that cuts gives the beginning of the whole, and says that it cut")
    func truncation() throws {
        let tokenizer = try Self.tokenizer()
        for text in SmallVocabulary.texts {
            let whole = tokenizer.encode(text, longest: nil)
            #expect(!whole.isTruncated)
            for longest in 2..<(whole.ids.count + 3) {
                let cut = tokenizer.encode(text, longest: longest)
                #expect(cut.isTruncated == (whole.ids.count > longest), "\(text.debugDescription) at \(longest)")
                #expect(
                    cut.ids == (cut.isTruncated ? whole.ids.dropLast().prefix(longest - 1) + [3] : whole.ids),
                    "\(text.debugDescription) at \(longest)")
            }
            #expect(tokenizer.encode(text, longest: 0).ids == [2, 3])
        }
        #expect(try Self.tokenizer(longest: 4).encode("a the b") == [2, 5, 82, 3])
        #expect(refusal { _ = try Self.tokenizer(longest: 1) }?.kind == .invalidValue)
    }

    @Test("added tokens take white space, want to stand alone, and are looked for in normalised text as they say")
    func addedTokens() throws {
        let count = SmallVocabulary.tokens.count
        let tokenizer = try Self.tokenizer(
            added: Self.special + [
                AddedToken("<L>", id: count, stripsLeft: true), AddedToken("<R>", id: count + 1, stripsRight: true),
                AddedToken("word", id: count + 2, isSingleWord: true),
                AddedToken("É!", id: count + 3, isSpecial: false, isNormalized: true),
                AddedToken("<L>x", id: count + 4),
            ])
        func ids(_ text: String) -> [Int] { Array(tokenizer.encode(text).dropFirst().dropLast()) }
        #expect(ids("a \u{3000} <L> a") == [5, count, 5])
        #expect(ids("<R> \u{A0}[MASK]") == [count + 1, 4])
        #expect(ids("<L>x<L>") == [count + 4, count])
        #expect(ids("word word. xword wordé") == [count + 2, count + 2, 67, 28, 53, 45, 48, 34, 27, 45, 48, 34, 35])
        #expect(ids("e\u{301}! É! e!") == [count + 3, count + 3, count + 3])
        #expect(ids("xword") == [28, 53, 45, 48, 34])
        #expect(ids("word") == [count + 2])
        #expect(tokenizer.decode([2, 5, count + 3, 82, 83, 3]) == "a e! theing")
        #expect(tokenizer.vocabularyCount == count + 5)
        // Ids around a text count too, whether or not they are anyone's.
        var options = WordPieceTokenizer.Options()
        options.leading = [1]
        let around = try WordPieceTokenizer(
            vocabulary: ["[UNK]"], addedTokens: [AddedToken("x", id: 0)], options: options)
        #expect(around.vocabularyCount == 2)
        #expect(tokenizer.token(count + 3) == "É!")
        #expect(tokenizer.id(of: "<L>x") == count + 4)
        #expect(tokenizer.id(of: "E\u{301}!") == nil)
        #expect(tokenizer.token(-1) == nil && tokenizer.token(count + 5) == nil)
    }

    @Test("what cannot be a vocabulary is refused")
    func refusals() throws {
        #expect(refusal { _ = try WordPieceTokenizer(vocabulary: ["a"]) }?.kind == .unknownToken)
        #expect(
            refusal { _ = try WordPieceTokenizer(vocabulary: ["[UNK]"], addedTokens: [AddedToken("x", id: 9)]) }?.kind
                == .tokenOutOfRange)
        #expect(
            refusal { _ = try WordPieceTokenizer(vocabulary: ["[UNK]", String(repeating: "a", count: 5000)]) }?.kind
                == .tooLarge)
    }

    @Test("Hangul, Greek and marks: single scalars through the tables")
    func normalization() {
        let uncased = BERTNormalizer()
        let accents = BERTNormalizer(stripsAccents: false)
        #expect(Array(uncased.normalize("한가").unicodeScalars.map(\.value)) == [0x1112, 0x1161, 0x11AB, 0x1100, 0x1161])
        #expect(Array(accents.normalize("İ").unicodeScalars.map(\.value)) == [0x69, 0x307])
        #expect(Array(accents.normalize("ΑΣ").unicodeScalars.map(\.value)) == [0x3B1, 0x3C3])
        #expect(Array(uncased.normalize("\u{1F82}").unicodeScalars.map(\.value)) == [0x3B1])
        // Combining classes 224 and 9 change places, but not across a mark of class 0 that is removed.
        #expect(Array(uncased.normalize("a\u{302E}\u{1B44}").unicodeScalars.map(\.value)) == [0x61, 0x1B44, 0x302E])
        #expect(
            Array(uncased.normalize("a\u{302E}\u{34F}\u{1B44}").unicodeScalars.map(\.value)) == [0x61, 0x302E, 0x1B44])
    }

    @Test("a sigma that ends a word, when whole texts are lowered")
    func sigma() throws {
        for (text, lowered) in [
            ("ΣΑΣ", "σας"), ("ΑΣ.", "ας."), ("ΑΣ\u{301}Α", "ασ\u{301}α"), ("ΑΣ\u{301} ", "ας\u{301} "), ("Σ", "σ"),
            ("1Σ", "1σ"), ("[MASK] İ", "[mask] i\u{307}"),
        ] {
            #expect(TextLowering.lowered(text).utf8.elementsEqual(lowered.utf8), "\(text)")
        }
    }

    @Test("any text at all: all ids exist, and the normalised text normalises to itself", arguments: [1, 2, 3])
    func anyText(_ seed: UInt64) throws {
        var generator = SeededGenerator(state: seed)
        let tokenizer = try Self.tokenizer(longest: 40)
        for _ in 0..<200 {
            var text = String.UnicodeScalarView()
            for _ in 0..<Int.random(in: 0..<60, using: &generator) {
                let top = [0x80, 0x500, 0x3100, 0x110000].randomElement(using: &generator) ?? 1
                if let scalar = Unicode.Scalar(UInt32.random(in: 0..<UInt32(top), using: &generator)) {
                    text.append(scalar)
                }
            }
            let ids = tokenizer.encode(String(text))
            #expect(ids.first == 2 && ids.last == 3 && ids.count <= 40, "seed \(seed)")
            #expect(ids.allSatisfy { tokenizer.token($0) != nil }, "seed \(seed)")
            let once = BERTNormalizer(separatesIdeographs: false).normalize(String(text))
            let twice = BERTNormalizer(separatesIdeographs: false).normalize(once)
            #expect(once.utf8.elementsEqual(twice.utf8), "seed \(seed): \(once.debugDescription)")
        }
    }
}
