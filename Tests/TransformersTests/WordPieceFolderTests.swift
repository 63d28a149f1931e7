import Foundation
import Testing

@testable import Transformers

@Suite("WordPiece from a folder")
struct WordPieceFolderTests {
    /// `tokenizer.json` around the made-up vocabulary.
    static func tokenizerFile(
        normalizer: [String: Any] = ["type": "BertNormalizer", "lowercase": true],
        change: (inout [String: Any]) -> Void = { _ in }
    ) throws -> String {
        // Written by hand, as Foundation's dictionaries take canonically equivalent keys for one.
        let vocabulary = try SmallVocabulary.tokens.enumerated().map { "\(try json($0.element)):\($0.offset)" }
        var file: [String: Any] = [
            "normalizer": normalizer, "pre_tokenizer": ["type": "BertPreTokenizer"],
            "added_tokens": WordPieceTests.special.map {
                ["id": $0.id, "content": $0.content, "special": true, "normalized": false] as [String: Any]
            },
            "post_processor": ["type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2]],
            "truncation": ["max_length": 3], "decoder": ["type": "WordPiece", "prefix": "##", "cleanup": true],
            "model": ["type": "WordPiece", "unk_token": "[UNK]", "vocab": "VOCABULARY"],
        ]
        change(&file)
        return try json(file).replacingOccurrences(
            of: "\"VOCABULARY\"", with: "{\(vocabulary.joined(separator: ","))}", options: .literal)
    }

    @Test("tokenizer.json and vocab.txt give the same ids", arguments: [true, false])
    func sameIDs(_ isCased: Bool) throws {
        let fromJSON = try TemporaryFolder()
        try fromJSON.write(
            try Self.tokenizerFile(normalizer: ["type": "BertNormalizer", "lowercase": !isCased]),
            as: "tokenizer.json")
        let fromText = try TemporaryFolder()
        try fromText.write(SmallVocabulary.tokens.joined(separator: "\n") + "\n", as: "vocab.txt")
        try fromText.write(
            try json(["do_lower_case": !isCased, "model_max_length": 1e30]), as: "tokenizer_config.json")
        try fromText.write(try json(["cls_token": "[CLS]"]), as: "special_tokens_map.json")
        let expectation = SmallVocabulary.expectations[isCased ? 1 : 0]
        for folder in [fromJSON, fromText] {
            let tokenizer = try WordPieceTokenizer(folder: folder.folder)
            #expect(tokenizer.options.longestSequence == nil)
            #expect(tokenizer.vocabularyCount == SmallVocabulary.tokens.count)
            for (text, ids) in zip(SmallVocabulary.texts, expectation.ids) {
                #expect(tokenizer.encode(text) == [2] + ids + [3], "\(text.debugDescription)")
            }
        }
    }

    @Test("a template says what stands around a text")
    func template() throws {
        let folder = try TemporaryFolder()
        try folder.write(
            try Self.tokenizerFile { file in
                file["post_processor"] = [
                    "type": "TemplateProcessing",
                    "single": [
                        ["SpecialToken": ["id": "[SEP]", "type_id": 0]], ["Sequence": ["id": "A", "type_id": 0]],
                        ["SpecialToken": ["id": "[CLS]", "type_id": 0]],
                    ],
                    "special_tokens": ["[CLS]": ["ids": [2, 4]], "[SEP]": ["ids": [3]]],
                ]
            }, as: "tokenizer.json")
        #expect(try WordPieceTokenizer(folder: folder.folder).encode("a") == [3, 5, 2, 4])
        try folder.write(try Self.tokenizerFile { $0["post_processor"] = NSNull() }, as: "tokenizer.json")
        #expect(try WordPieceTokenizer(folder: folder.folder).encode("a") == [5])
    }

    @Test("the length is sentence_bert_config's, else tokenizer_config's, else the positions, and within these")
    func longest() throws {
        let folder = try TemporaryFolder()
        try folder.write(try Self.tokenizerFile(), as: "tokenizer.json")
        func length() throws -> Int? { try WordPieceTokenizer(folder: folder.folder).options.longestSequence }
        #expect(try length() == nil)
        try folder.write(#"{"max_position_embeddings": 12}"#, as: "config.json")
        #expect(try length() == 12)
        try folder.write(#"{"model_max_length": 9}"#, as: "tokenizer_config.json")
        #expect(try length() == 9)
        try folder.write(#"{"model_max_length": 1000000000000000019884624838656}"#, as: "tokenizer_config.json")
        #expect(try length() == 12)
        try folder.write(#"{"max_seq_length": 7, "do_lower_case": true}"#, as: "sentence_bert_config.json")
        #expect(try length() == 7)
        #expect(try WordPieceTokenizer(folder: folder.folder).options.lowercasesFirst)
        #expect(try WordPieceTokenizer(folder: folder.folder).encode("[MASK]").count == 7)
        try folder.write(#"{"max_seq_length": 70}"#, as: "sentence_bert_config.json")
        #expect(try length() == 12)
        try folder.write(#"{"max_seq_length": 1}"#, as: "sentence_bert_config.json")
        #expect(refusal { _ = try length() }?.kind == .invalidValue)
    }

    @Test("tokens that tokenizer_config.json adds, and flags of special tokens")
    func addedTokens() throws {
        let folder = try TemporaryFolder()
        let count = SmallVocabulary.tokens.count
        try folder.write(SmallVocabulary.tokens.joined(separator: "\r\n"), as: "vocab.txt")
        try folder.write(
            try json([
                "mask_token": ["content": "[MASK]", "lstrip": true, "__type": "AddedToken"] as [String: Any],
                "added_tokens_decoder": ["\(count)": ["content": "<new>", "special": true] as [String: Any]],
            ]), as: "tokenizer_config.json")
        let tokenizer = try WordPieceTokenizer(folder: folder.folder)
        #expect(tokenizer.encode("<new>a") == [2, count, 5, 3])
        #expect(tokenizer.addedTokens.first { $0.content == "[MASK]" }?.stripsLeft == true)
        #expect(tokenizer.vocabularyCount == count + 1)
    }

    @Test(
        "broken tokenizer files are refused",
        arguments: [
            (#"{}"#, CheckpointError.Kind.missingField), (#"["#, .syntax), (#"[]"#, .wrongType),
            (#"{"model": {"vocab": []}}"#, .wrongType),
            (#"{"model": {"vocab": {"a": "1"}}}"#, .wrongType), (#"{"model": {"vocab": {"a": 1.5}}}"#, .wrongType),
            (#"{"model": {"type": "BPE"}}"#, .unsupported), (#"{"model": {"vocab": {"a": 0, "a": 1}}}"#, .duplicateKey),
            (#"{"model": {"vocab": {"[UNK]": 0}}, "normalizer": {"type": "Lowercase"}}"#, .unsupported),
            (#"{"model": {"vocab": {"[UNK]": 0}}, "normalizer": null}"#, .missingField),
            (full(#"{"[UNK]": 0, "a": 0}"#), .duplicateToken), (full(#"{"[UNK]": 123456789}"#), .tokenOutOfRange),
            (full(#"{"[UNK]": -1}"#), .tokenOutOfRange), (full(#"{"a": 1}"#), .unknownToken),
            (full(#"{"[UNK]": 0}"#, #", "added_tokens": [{"id": 0}]"#), .missingField),
            (full(#"{"[UNK]": 0}"#, #", "added_tokens": [{"id": 0, "content": ""}]"#), .invalidValue),
            (full(#"{"[UNK]": 0}"#, #", "added_tokens": [{"id": 0, "content": "x", "lstrip": 1}]"#), .wrongType),
            (full(#"{"[UNK]": 0}"#, #", "added_tokens": [{"id": 99, "content": "x"}]"#), .tokenOutOfRange),
            (full(#"{"[UNK]": 0}"#, #", "post_processor": {"type": "BertProcessing"}"#), .missingField),
            (
                full(#"{"[UNK]": 0}"#, #", "post_processor": {"type": "BertProcessing", "cls": [1], "sep": ["a", 0]}"#),
                .invalidValue
            ),
        ])
    func broken(_ text: String, _ kind: CheckpointError.Kind) throws {
        let folder = try TemporaryFolder()
        try folder.write(text, as: "tokenizer.json")
        let error = refusal { _ = try WordPieceTokenizer(folder: folder.folder) }
        #expect(error?.kind == kind, "\(error?.description ?? "")")
        #expect(error?.description.contains("tokenizer.json") == true)
    }

    @Test("of several wrong entries the one with the smallest id is named, each time")
    func order() throws {
        let twice = (0..<40).map { "\"t\($0)\": \($0 / 2 + 1)" }.joined(separator: ", ")
        let words = (0..<40).map { "\"t\($0 + 10)\": \"x\"" }.joined(separator: ", ")
        for _ in 0..<8 {
            let folder = try TemporaryFolder()
            try folder.write(Self.full("{\"[UNK]\": 0, \(twice)}"), as: "tokenizer.json")
            let error = refusal { _ = try WordPieceTokenizer(folder: folder.folder) }
            #expect(error?.place == "\"t1\"" && error?.found == "1, which \"t0\" has")
            try folder.write(Self.full("{\"[UNK]\": 0, \(words)}"), as: "tokenizer.json")
            let other = refusal { _ = try WordPieceTokenizer(folder: folder.folder) }
            #expect(other?.place == "model.vocab.\"t10\"")
        }
    }

    private static func full(_ vocabulary: String, _ more: String = "") -> String {
        #"{"model": {"vocab": \#(vocabulary)}, "normalizer": {"type": "BertNormalizer"}, "#
            + #""pre_tokenizer": {"type": "BertPreTokenizer"}\#(more)}"#
    }

    @Test("a folder without either vocabulary, and one without [CLS]")
    func missing() throws {
        let folder = try TemporaryFolder()
        #expect(refusal { _ = try WordPieceTokenizer(folder: folder.folder) }?.kind == .missingFile)
        try folder.write("[UNK]\n[SEP]\na", as: "vocab.txt")
        #expect(refusal { _ = try WordPieceTokenizer(folder: folder.folder) }?.kind == .unknownToken)
        try folder.write([0x61, 0x0A, 0xFF, 0x0A], as: "vocab.txt")
        #expect(refusal { _ = try WordPieceTokenizer(folder: folder.folder) }?.place == "line 2")
    }
}
