import Foundation
import Testing

@testable import Transformers

/// The token ids of a real model. The environment variable ATTEND_MODEL names its folder.
@Suite("Token ids of a real model")
struct SharedEmbeddingsTests {
    private static let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("../shared/conformance/embeddings/minilm.json")
        .standardizedFileURL

    @Test("are those that the shared file holds")
    func ids() throws {
        guard let path = ProcessInfo.processInfo.environment["ATTEND_MODEL"], !path.isEmpty else {
            return print("SKIPPED: ATTEND_MODEL names no model folder")
        }
        guard let data = FileManager.default.contents(atPath: Self.file.path) else {
            return print("SKIPPED: no ../shared/conformance/embeddings/minilm.json")
        }
        let folder = try ModelFolder(path: path)
        let tokenizer = try WordPieceTokenizer(folder: folder)
        let sentence = try SentenceConfiguration(folder: folder)
        #expect(sentence.pooling == .mean && sentence.normalizes)
        #expect(tokenizer.options.longestSequence == sentence.longestSequence)
        try sentence.encoder.check(tokenizer, folder: folder)
        _ = try sentence.encoder.checkpoint(folder: folder)
        var count = 0
        for item in try JSONReader(JSONParser.parse(Array(data), file: Self.file.path), file: "minilm.json").array {
            let text = try item.member("text").string
            let ids = try item.member("token_ids").array.map { try $0.integer(in: 0...1 << 30) }
            #expect(tokenizer.encode(text) == ids, "\(text.prefix(80).debugDescription)")
            count += 1
        }
        #expect(count > 0)
        print("\(count) texts of minilm.json have the ids that it holds")
    }
}
