import Foundation
import TensorFiles
import Testing

@testable import Transformers

@Suite("Configurations of encoder-decoders")
struct EncoderDecoderTests {
    static let config = #"""
        {"d_model": 4, "nhead": 2, "num_encoder_layers": 1, "num_decoder_layers": 2, "dim_feedforward": 6, "activation": "gelu",
         "norm_first": true, "layer_norm_eps": 1e-6, "final_norm": true, "source_vocabulary": 6, "target_vocabulary": 5,
         "positions": "learned", "max_positions": 7, "scale_embeddings": false, "tie_target_embedding": true,
         "wrap_source": true, "start_token": "<s>", "end_token": "</s>", "pad_token": "<pad>", "unknown_token": "<unk>",
         "tokenizer": "longest-match"}
        """#
    static let source = #"["<pad>", "<unk>", "<s>", "</s>", "a", "b"]"#
    static let target = #"["<s>", "</s>", "<pad>", "c", "d"]"#

    static func folder() throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        try folder.write(config, as: "config.json")
        try folder.write(source, as: "source_tokens.json")
        try folder.write(target, as: "target_tokens.json")
        return folder
    }

    @Test("every field")
    func fields() throws {
        let folder = try Self.folder()
        let read = try EncoderDecoderConfiguration(folder: folder.folder)
        #expect((read.modelDimension, read.heads, read.encoderLayers, read.decoderLayers) == (4, 2, 1, 2))
        #expect((read.feedForwardDimension, read.maximumPositions, read.layerNormEpsilon) == (6, 7, 1e-6))
        #expect(read.activation == .gelu && read.positions == .learned && read.tokenizer == .longestMatch)
        #expect(read.normFirst && read.finalNorm && read.hasBias && read.tiesTargetEmbedding && read.wrapsSource)
        #expect(!read.scalesEmbeddings)
        #expect(read.source == .init(start: 2, end: 3, padding: 0, unknown: 1))
        #expect(read.target == .init(start: 0, end: 1, padding: 2, unknown: nil))
        #expect(try read.sourceTokenizer().encode("abx") == [4, 5, 1])
        #expect(try read.targetTokenizer().decode([3, 4, 2, 3]) == "cd<pad>c", "every entry is written")
    }

    @Test("what fields are unless said: as in nn.Transformer and the paper")
    func defaults() throws {
        let folder = try Self.folder()
        try folder.write(
            #"""
            {"max_positions": 7, "source_vocabulary": 6, "target_vocabulary": 5, "start_token": "<s>",
             "end_token": "</s>", "unknown_token": "<unk>"}
            """#, as: "config.json")
        let read = try EncoderDecoderConfiguration(folder: folder.folder)
        #expect((read.modelDimension, read.heads, read.encoderLayers, read.decoderLayers) == (512, 8, 6, 6))
        #expect((read.feedForwardDimension, read.layerNormEpsilon) == (2048, 1e-5))
        #expect(read.activation == .relu && read.positions == .sinusoidal && read.tokenizer == .words)
        #expect(!read.normFirst && read.finalNorm && read.hasBias && !read.tiesTargetEmbedding && !read.wrapsSource)
        #expect(read.scalesEmbeddings)
        #expect(read.target.padding == nil)
        #expect(try read.sourceTokenizer().encode("a x b") == [4, 1, 5])
    }

    @Test(
        "configurations that cannot be right",
        arguments: [
            Change("d_model", "\"4\"", .wrongType), Change("d_model", "0", .invalidValue),
            Change("nhead", "3", .invalidValue), Change("nhead", "0", .invalidValue),
            Change("num_encoder_layers", "-1", .invalidValue), Change("num_decoder_layers", "1.5", .wrongType),
            Change("dim_feedforward", "[]", .wrongType), Change("activation", "\"tanh\"", .unsupported),
            Change("norm_first", "1", .wrongType), Change("layer_norm_eps", "\"x\"", .wrongType),
            Change("final_norm", "\"true\"", .wrongType), Change("source_vocabulary", "7", .tokenOutOfRange),
            Change("source_vocabulary", nil, .missingField), Change("target_vocabulary", "4", .tokenOutOfRange),
            Change("positions", "\"rotary\"", .unsupported), Change("positions", "2", .wrongType),
            Change("max_positions", nil, .missingField), Change("max_positions", "0", .invalidValue),
            Change("max_positions", "1", .invalidValue), Change("scale_embeddings", "0", .wrongType),
            Change("start_token", "0", .wrongType),
            Change("start_token", "\"<none>\"", .unknownToken), Change("start_token", nil, .missingField),
            Change("end_token", "\"c\"", .unknownToken), Change("end_token", "\"a\"", .unknownToken),
            Change("pad_token", "\"<none>\"", .unknownToken), Change("unknown_token", "\"c\"", .unknownToken),
            Change("unknown_token", nil, .missingField), Change("tokenizer", "\"bpe\"", .unsupported),
        ])
    func wrong(_ change: Change) throws {
        let folder = try Self.folder()

        try folder.write(change.applied(to: Self.config), as: "config.json")
        let error = refusal { _ = try EncoderDecoderConfiguration(folder: folder.folder) }
        #expect(error?.kind == change.kind, "\(error?.description ?? "")")
    }

    @Test("a computed table of positions is no longer than memory because the file says so")
    func longestTable() throws {
        let folder = try Self.folder()
        for (positions, isRight) in [("67108864", true), ("67108865", false), ("1073741824", false)] {
            let sinusoidal = try Change("positions", "\"sinusoidal\"", .invalidValue).applied(to: Self.config)
            try folder.write(
                Change("max_positions", positions, .invalidValue).applied(to: sinusoidal), as: "config.json")
            if isRight {
                #expect(try EncoderDecoderConfiguration(folder: folder.folder).maximumPositions == Int(positions))
                continue
            }
            let error = refusal { _ = try EncoderDecoderConfiguration(folder: folder.folder) }
            #expect(error?.kind == .invalidValue && error?.place == "max_positions")
        }
    }

    @Test(
        "lists of tokens that cannot be right",
        arguments: [
            ("source_tokens.json", #"["a", "b", "c", "d", "e", "a"]"#, CheckpointError.Kind.duplicateToken),
            ("source_tokens.json", #"["<pad>", "<unk>", "<s>", "</s>", "a", 5]"#, .wrongType),
            ("source_tokens.json", "{}", .wrongType), ("target_tokens.json", "[]", .tokenOutOfRange),
            ("target_tokens.json", #"["<s>", "</s>", "c"#, .syntax),
            ("target_tokens.json", #"["<s>", "</s>", "<pad>", "c", "d", "e"]"#, .tokenOutOfRange),
        ])
    func wrongTokens(_ file: String, _ text: String, _ kind: CheckpointError.Kind) throws {
        let folder = try Self.folder()
        try folder.write(text, as: file)
        let error = refusal { _ = try EncoderDecoderConfiguration(folder: folder.folder) }
        #expect(error?.kind == kind, "\(error?.description ?? "")")
        #expect(error?.description.contains(file) == true)
    }

    @Test("files that are not there", arguments: ["config.json", "source_tokens.json", "target_tokens.json"])
    func missing(_ file: String) throws {
        let folder = try Self.folder()
        try FileManager.default.removeItem(atPath: folder.path + "/" + file)
        let error = refusal { _ = try EncoderDecoderConfiguration(folder: folder.folder) }
        #expect(error?.kind == .missingFile)
        #expect(error?.description.contains(file) == true)
    }

    @Test("tensors: what there is, and what may be left out")
    func tensors() throws {
        let folder = try Self.folder()
        let configuration = try EncoderDecoderConfiguration(folder: folder.folder)
        let names = Set(configuration.tensors.map(\.name))
        #expect(names.count == configuration.tensors.count)
        // 4 embeddings and positions, 12 and 18 a layer, two final norms, the generator.
        #expect(names.count == 4 + 12 + 2 * 18 + 4 + 2)
        for name in [
            "encoder.layers.0.self_attn.in_proj_weight", "decoder.layers.1.multihead_attn.out_proj.bias",
            "decoder.layers.0.norm3.weight", "decoder.norm.bias", "source_position.weight",
        ] {
            #expect(names.contains(name), "\(name)")
        }
        let all = configuration.tensors.map { stored($0.name, $0.shape) }
        try folder.write(all.filter { $0.name != "target_embedding.weight" }, as: "model.safetensors")
        _ = try configuration.checkpoint(folder: folder.folder)
        var changed = all.filter { $0.name != "generator.bias" && $0.name != "decoder.norm.bias" }
        changed.append(stored("encoder.layers.1.linear1.weight", [6, 4]))
        changed.removeAll { $0.name == "encoder.layers.0.linear2.weight" }
        changed.append(stored("encoder.layers.0.linear2.weight", [6, 4]))
        try folder.write(changed, as: "model.safetensors")
        let error = refusal { _ = try configuration.checkpoint(folder: folder.folder) }
        #expect(error?.missing == ["decoder.norm.bias", "generator.bias"])
        #expect(error?.extra == ["encoder.layers.1.linear1.weight"])
        #expect(error?.misshapen.map(\.name) == ["encoder.layers.0.linear2.weight"])

        try folder.write(try Change("bias", "false", .syntax).applied(to: Self.config), as: "config.json")
        let bare = try EncoderDecoderConfiguration(folder: folder.folder)
        #expect(bare.tensors.filter { $0.name.hasSuffix("bias") }.map(\.name) == ["generator.bias"])
    }
}
