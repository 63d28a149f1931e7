import Attention
import Foundation
import TensorFiles
import Testing

@testable import Transformers

@Suite struct EncoderDecoderModelTests {
    /// A folder of a small model with random weights.
    static func folder(
        isNormFirst: Bool = false, isTied: Bool = false, hasBias: Bool = true, isLearned: Bool = false,
        without missing: String? = nil
    ) throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        let source = ["<s>", "</s>", "<pad>", "?", "a", "b", "c"]
        let target = ["<s>", "</s>", "<pad>", "x", "y", "z"]
        let config: [String: Any] = [
            "d_model": 16, "nhead": 2, "num_encoder_layers": 1, "num_decoder_layers": 2, "dim_feedforward": 24,
            "activation": "relu", "norm_first": isNormFirst, "bias": hasBias, "layer_norm_eps": 1e-5,
            "final_norm": true,
            "source_vocabulary": source.count, "target_vocabulary": target.count,
            "positions": isLearned ? "learned" : "sinusoidal", "max_positions": 8, "scale_embeddings": true,
            "tie_target_embedding": isTied, "wrap_source": true, "tokenizer": "longest-match", "start_token": "<s>",
            "end_token": "</s>", "pad_token": "<pad>", "unknown_token": "?",
        ]
        try folder.write(json(config), as: "config.json")
        try folder.write(json(source), as: "source_tokens.json")
        try folder.write(json(target), as: "target_tokens.json")
        var model = Transformer.Configuration(
            layer: .init(
                modelDimension: 16, heads: 2, hiddenDimension: 24, isNormFirst: isNormFirst, hasBias: hasBias),
            sourceVocabulary: source.count, targetVocabulary: target.count)
        (model.encoderLayers, model.decoderLayers, model.maximumPositions) = (1, 2, 8)
        (model.tiesTargetEmbedding, model.hasGeneratorBias) = (isTied, hasBias)
        model.positions = isLearned ? .learned : .sinusoidal
        let parameters = RandomParameters(seed: 17, spread: 0.4)
        let tensors = try model.shapes.filter { $0.name != missing }.map {
            TensorFileTensor(
                name: $0.name, elementType: .float32, shape: $0.shape,
                bytes: try parameters.tensor($0.name, shape: $0.shape).contiguousBytes())
        }
        try folder.write(tensors, as: "model.safetensors")
        return folder
    }

    @Test func allThreeEmbeddingsAreOneMatrixAsInThePaper() throws {
        var configuration = Transformer.Configuration(
            layer: .init(modelDimension: 8, heads: 2, hiddenDimension: 8), sourceVocabulary: 5, targetVocabulary: 5)
        (configuration.encoderLayers, configuration.decoderLayers) = (1, 1)
        (configuration.tiesTargetEmbedding, configuration.sharesEmbeddings) = (true, true)
        #expect(configuration.shapes.filter { $0.shape == [5, 8] }.map(\.name) == ["generator.weight"])
        let parameters = RandomParameters(seed: 3)
        let model = try Transformer(Parameters(parameters), configuration, device: .reference)
        let weight = try parameters.tensor("generator.weight", shape: [5, 8]).floats()
        #expect(try model.sourceEmbedding.table.floats() == weight && model.targetEmbedding.table.floats() == weight)
    }

    @Test(arguments: Devices.all, [(false, false, true, false), (true, true, true, true), (false, true, false, false)])
    func translates(device: Device, kind: (Bool, Bool, Bool, Bool)) throws {
        let folder = try Self.folder(isNormFirst: kind.0, isTied: kind.1, hasBias: kind.2, isLearned: kind.3)
        let model = try EncoderDecoderModel(folder: folder.folder, device: device)
        #expect(try model.sourceTokens("abd") == [0, 4, 5, 3, 1])
        let texts = ["abc", "", "ccccab"]
        for beams in [1, 3] {
            let found = try model.translate(texts, .init(beams: beams))
            let plain = try model.transformer.generate(
                texts.map { try model.sourceTokens($0) }, GenerationOptions(start: 0, end: 1, beams: beams))
            for (one, sequences) in zip(found, plain) {
                #expect(one.sequences == sequences)
                #expect(one.tokens == sequences[0].tokens && one.score == sequences[0].score)
                #expect(one.output == model.targetTokenizer.decode(one.tokens))
            }
        }
        let maps = try model.attention(source: model.sourceTokens("ab"), target: [3, 4])
        #expect(maps.map(\.part) == [.encoder, .decoder, .cross, .decoder, .cross])
        #expect(maps[4].weights.shape == [1, 2, 3, 4])
    }

    @Test func longSources() throws {
        let folder = try Self.folder()
        let model = try withExtendedLifetime(folder) {
            try EncoderDecoderModel(folder: folder.folder, device: .reference)
        }
        let text = "abcabcabc"
        #expect(throws: AttentionError.self) { _ = try model.translate([text]) }
        #expect(try model.sourceTokens(text, .truncate) == [0, 4, 5, 6, 4, 5, 6, 1])
        #expect(try model.translate([text], .init(longSource: .truncate)).count == 1)
    }

    @Test func missingTensor() throws {
        let name = "decoder.layers.1.multihead_attn.in_proj_weight"
        let folder = try Self.folder(without: name)
        let error = refusal { _ = try EncoderDecoderModel(folder: folder.folder, device: .reference) }
        #expect(error?.missing == [name])
    }

    @Test func asynchronously() async throws {
        let folder = try Self.folder()
        let model = try withExtendedLifetime(folder) {
            try EncoderDecoderModel(folder: folder.folder, device: .reference)
        }
        let found = try await model.translate(["ab"], .init(beams: 2))
        let plain = try model.transformer.generate(
            [try model.sourceTokens("ab")], GenerationOptions(start: 0, end: 1, beams: 2))
        #expect(found[0].sequences == plain[0])
    }
}
