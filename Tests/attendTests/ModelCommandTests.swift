import Foundation
import Testing

@Suite(.enabled(if: Attend.isBuilt, "attend is not built beside the tests"))
struct ModelCommandTests {
    static let devices = ["native", "reference", "auto"]

    // MARK: layer

    @Test(arguments: devices) func layerWritesItsOutputs(_ device: String) throws {
        let folder = try TemporaryFolder()
        let file = try SmallModels.additiveLayer(in: folder)
        let out = folder.path("out.safetensors")
        let result = try Attend.run(["layer", file, "-o", out, "--json", "--device", device], in: folder)
        #expect(result.status == 0, "\(result.errors)")
        let json = try #require(result.json)
        #expect(json["type"] as? String == "additive")
        #expect((json["device"] as? [String: Any])?["name"] is String)
        let agreement = (json["agreement"] as? [String: Any])?["outputs.output"] as? [String: Any]
        #expect(agreement?["passes"] as? Bool == true)
        #expect(try SmallCase.read("outputs.output", from: out) == [2, 3])
        #expect(try SmallCase.read("outputs.probabilities", from: out) == [0.5, 0.5])
    }

    @Test func layerTellsADisagreement() throws {
        let folder = try TemporaryFolder()
        let file = try SmallModels.additiveLayer(in: folder, expected: [2, 3.1])
        let result = try Attend.run(["layer", file, "--device", "native"], in: folder)
        #expect(result.status == 0 && result.output.contains("DOES NOT AGREE"), "\(result.output)")
    }

    @Test(arguments: [
        #"{"type": "unheard-of"}"#, #"{"type": 3}"#, "{",
    ])
    func layerRefusesWhatItDoesNotKnow(_ config: String) throws {
        let folder = try TemporaryFolder()
        let file = try SmallModels.additiveLayer(in: folder, config: config)
        let result = try Attend.run(["layer", file, "-o", folder.path("out")], in: folder)
        #expect(result.status == 65 && result.errorLines.count == 1, "\(result.errors)")
        #expect(!folder.has("out"))
    }

    // MARK: translate

    @Test(arguments: devices, [1, 3]) func translate(_ device: String, _ beams: Int) throws {
        let folder = try TemporaryFolder()
        let model = try SmallModels.encoderDecoder(in: folder)
        let result = try Attend.run(
            ["translate", "--model", model, "--beam", "\(beams)", "--json", "--device", device, "b"], in: folder)
        #expect(result.status == 0, "\(result.errors)")
        let first = try #require((result.json?["results"] as? [[String: Any]])?.first)
        #expect(first["output"] as? String == SmallModels.translation && first["source"] as? String == "b")
        #expect(first["token_ids"] as? [Int] == [1, 2])
        #expect(abs(try #require(first["score"] as? Double) - SmallModels.score) < 1e-5)
        let plain = try Attend.run(["translate", "--model", model, "--device", device, "b", "a"], in: folder)
        #expect(plain.output == "ab\nab\n")
        let streamed = try Attend.run(
            ["translate", "--model", model, "--beam", "\(beams)", "--device", device, "b"], in: folder)
        #expect(streamed.output == "ab\n")
    }

    @Test func translateDividesByTheLengthWithTheEnd() throws {
        let folder = try TemporaryFolder()
        let model = try SmallModels.encoderDecoder(in: folder)
        let arguments = ["translate", "--model", model, "--json", "--device", "native", "a"]
        let scored = try Attend.run(arguments + ["--length-penalty", "1"], in: folder)
        let results = try #require(scored.json?["results"] as? [[String: Any]])
        #expect(abs(try #require(results.first?["score"] as? Double) - SmallModels.score / 3) < 1e-5)
        let short = try Attend.run(arguments + ["--max-length", "1"], in: folder)
        #expect((short.json?["results"] as? [[String: Any]])?.first?["token_ids"] as? [Int] == [1])
    }

    @Test func longSourcesAreCutOrRefused() throws {
        let folder = try TemporaryFolder()
        let model = try SmallModels.encoderDecoder(in: folder)
        let long = String(repeating: "a", count: 9)
        let cut = try Attend.run(["translate", "--model", model, "--device", "native", long], in: folder)
        #expect(cut.status == 0 && cut.output == "ab\n", "\(cut.errors)")
        let refused = try Attend.run(
            ["translate", "--model", model, "--device", "native", "--long-text", "refuse", long], in: folder)
        #expect(
            refused.status == 65 && refused.errorLines.count == 1 && refused.errors.contains("8"), "\(refused.errors)")
        let most = try Attend.run(
            ["translate", "--model", model, "--device", "native", "--max-length", "9", "a"], in: folder)
        #expect(most.status == 0 && most.output == "ab\n", "\(most.errors)")
    }

    // MARK: Bad folders

    @Test func badFoldersAreNamedInOneLine() throws {
        let folder = try TemporaryFolder()
        let missing = try SmallModels.encoderDecoder(in: folder, without: "generator.weight")
        let wrongType = try SmallModels.encoderDecoder(in: folder, ["d_model": "four"])
        let wrongShape = try SmallModels.encoderDecoder(in: folder, ["d_model": 2])
        let unknown = try SmallModels.encoderDecoder(in: folder, ["end_token": "</nowhere>"])
        let truncated = try SmallModels.encoderDecoder(in: folder)
        let file = URL(fileURLWithPath: truncated + "/model.safetensors")
        try Data(contentsOf: file).dropLast(5).write(to: file)
        let linked = try SmallModels.encoderDecoder(in: folder)
        try FileManager.default.removeItem(atPath: linked + "/model.safetensors")
        try FileManager.default.createSymbolicLink(
            atPath: linked + "/model.safetensors", withDestinationPath: missing + "/model.safetensors")
        for (model, word) in [
            (missing, "generator.weight"), (wrongType, "d_model"), (wrongShape, "source_embedding.weight"),
            (unknown, "nowhere"), (truncated, "model.safetensors"), (linked, "link"),
            (folder.path("absent"), "absent"),
        ] {
            for command in ["translate", "embed"] {
                let result = try Attend.run([command, "--model", model, "--device", "native", "a"], in: folder)
                #expect(result.status == 65 && result.errorLines.count == 1, "\(word): \(result.errors)")
                if command == "translate" { #expect(result.errors.contains(word), "\(word): \(result.errors)") }
            }
        }
    }

    @Test(arguments: [
        ["translate", "a"], ["translate", "--model", "m", "--beam", "0", "a"],
        ["embed", "--model", "m", "--pooling", "sum", "a"],
        ["explain", "--model", "m", "a", "-o", "picture.png"], ["bench", "--model", "m"],
        ["bench", "--linear", "1,2"], ["bench", "--linear", "1,2,3", "--shape", "1,1,1,1,1,1"], ["layer"],
    ]) func usage(_ arguments: [String]) throws {
        let result = try Attend.run(arguments, in: try TemporaryFolder())
        #expect(result.status == 64, "\(arguments): \(result.status) \(result.errors)")
    }

    // MARK: explain

    @Test(arguments: ["svg", "html"]) func explainWritesAPicture(_ ending: String) throws {
        guard let model = Self.sentenceModel else { return }
        let folder = try TemporaryFolder()
        let out = folder.path("map." + ending)
        let result = try Attend.run(
            ["explain", "--model", model, "a quiet river", "-o", out, "--json", "--device", "native"], in: folder)
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.json?["layers"] as? Int == 6 && result.json?["heads"] as? Int == 12)
        #expect(result.json?["tokens"] as? [String] == ["[CLS]", "a", "quiet", "river", "[SEP]"])
        let text = String(decoding: try Data(contentsOf: URL(fileURLWithPath: out)), as: UTF8.self)
        #expect(text.contains("river") && text.utf8.count < 200_000)
    }

    // MARK: bench

    /// Vectors are held to the reference before anything is timed.
    @Test(arguments: ["f32", "f16"]) func benchChecksAModel(_ type: String) throws {
        guard let model = Self.sentenceModel else { return }
        let folder = try TemporaryFolder()
        try folder.write(Array("a dog runs\ntax law\na quiet river runs by\n".utf8), to: "texts")
        let arguments = [
            "bench", "--model", model, "--texts", folder.path("texts"), "--device", "native", "--repeat", "1",
            "--dtype", type,
        ]
        let result = try Attend.run(arguments + ["--json"], in: folder)
        #expect(result.status == 0, "\(result.errors)")
        let one = try #require((result.json?["results"] as? [[String: Any]])?.first)
        #expect(one["verified"] as? Bool == true && one["median_ms"] is Double)
        let part = try #require(one["verified_part"] as? String)
        #expect(part.hasPrefix("3 of 3 texts, ") && part.contains(type == "f32" ? "difference" : "cosine"), "\(part)")
        let plain = try Attend.run(arguments, in: folder)
        #expect(plain.output.contains("checked: 3 of 3 texts"), "\(plain.output)")
    }

    // MARK: embed

    /// The folder that ATTEND_MODEL names, if there is one.
    static let sentenceModel: String? = {
        let path = ProcessInfo.processInfo.environment["ATTEND_MODEL"] ?? ""
        if FileManager.default.fileExists(atPath: path + "/model.safetensors") { return path }
        print("SKIPPED: there is no sentence model; ATTEND_MODEL names none")
        return nil
    }()

    @Test(arguments: devices) func embedGivesVectorsOfLengthOne(_ device: String) throws {
        guard let model = Self.sentenceModel else { return }
        let folder = try TemporaryFolder()
        let result = try Attend.run(
            [
                "embed", "--model", model, "--json", "--similarity", "--device", device, "a dog runs",
                "a dog is running", "tax law",
            ],
            in: folder)
        #expect(result.status == 0, "\(result.errors)")
        let results = try #require(result.json?["results"] as? [[String: Any]])
        #expect(results.map { $0["text"] as? String } == ["a dog runs", "a dog is running", "tax law"])
        #expect(results.first?["token_ids"] as? [Int] == [101, 1037, 3899, 3216, 102])
        for one in results {
            let vector = try #require(one["embedding"] as? [Double])
            #expect(vector.count == 384 && abs(vector.reduce(0) { $0 + $1 * $1 } - 1) < 1e-5)
        }
        let cosines = try #require(result.json?["similarity"] as? [[Double]])
        #expect(cosines[0][1] > 0.8 && cosines[0][2] < 0.3 && abs(cosines[1][1] - 1) < 1e-6)
    }
}
