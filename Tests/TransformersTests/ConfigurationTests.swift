import Foundation
import TensorFiles
import Testing

@testable import Transformers

/// A change to a folder that must be refused: a JSON file's key gets another value, written as JSON, or goes for nil.
struct Change: Sendable, CustomStringConvertible {
    let key: String
    let value: String?
    let kind: CheckpointError.Kind

    init(_ key: String, _ value: String?, _ kind: CheckpointError.Kind) {
        (self.key, self.value, self.kind) = (key, value, kind)
    }

    var description: String { "\(key) \(value ?? "left out")" }

    func applied(to text: String) throws -> String {
        var object = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any] ?? [:]
        object[key] = try value.map {
            try JSONSerialization.jsonObject(with: Data($0.utf8), options: [.fragmentsAllowed])
        }
        return try json(object)
    }
}

@Suite("Configurations of BERT and of sentence models")
struct ConfigurationTests {
    static let bert = #"""
        {"hidden_size": 4, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 6, "hidden_act": "gelu_new",
         "layer_norm_eps": 1e-12, "max_position_embeddings": 8, "type_vocab_size": 2, "vocab_size": 10, "pad_token_id": 0,
         "position_embedding_type": "absolute", "model_type": "bert", "unknown": [1]}
        """#
    static let modules = #"""
        [{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
         {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
         {"idx": 2, "name": "2", "path": "2_Normalize", "type": "sentence_transformers.models.Normalize"}]
        """#

    static func sentenceFolder() throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        try folder.write(bert, as: "config.json")
        try folder.write(modules, as: "modules.json")
        try folder.write(
            #"{"word_embedding_dimension": 4, "pooling_mode_cls_token": true, "pooling_mode_mean_tokens": false}"#,
            as: "1_Pooling/config.json")
        try folder.write(#"{"max_seq_length": 5, "do_lower_case": true}"#, as: "sentence_bert_config.json")
        return folder
    }

    @Test("BERT's fields, and what they are unless said")
    func bert() throws {
        let folder = try TemporaryFolder()
        try folder.write(Self.bert, as: "config.json")
        let read = try BERTConfiguration(folder: folder.folder)
        #expect((read.hiddenSize, read.layers, read.attentionHeads, read.intermediateSize) == (4, 1, 2, 6))
        #expect((read.positions, read.tokenTypes, read.vocabularyCount, read.paddingToken) == (8, 2, 10, 0))
        #expect(read.activation == .geluTanh)
        #expect(read.layerNormEpsilon == 1e-12)
        var text = Self.bert
        for key in ["hidden_act", "layer_norm_eps", "type_vocab_size", "pad_token_id", "position_embedding_type"] {
            text = try Change(key, nil, .syntax).applied(to: text)
        }
        try folder.write(text, as: "config.json")
        let defaults = try BERTConfiguration(folder: folder.folder)
        #expect(defaults.activation == .gelu)
        #expect((defaults.layerNormEpsilon, defaults.tokenTypes, defaults.paddingToken) == (1e-12, 2, 0))
    }

    @Test(
        "BERT configurations that cannot be right",
        arguments: [
            Change("hidden_size", nil, .missingField), Change("hidden_size", "\"4\"", .wrongType),
            Change("hidden_size", "4.5", .wrongType), Change("hidden_size", "0", .invalidValue),
            Change("hidden_size", "5", .invalidValue), Change("hidden_size", "1e30", .wrongType),
            Change("num_hidden_layers", "-1", .invalidValue), Change("num_hidden_layers", "true", .wrongType),
            Change("num_attention_heads", "3", .invalidValue), Change("hidden_act", "\"tanh\"", .unsupported),
            Change("hidden_act", "1", .wrongType), Change("layer_norm_eps", "-1", .invalidValue),
            Change("vocab_size", "9223372036854775807", .invalidValue), Change("pad_token_id", "10", .tokenOutOfRange),
            Change("pad_token_id", "-1", .invalidValue),
            Change("position_embedding_type", "\"relative_key\"", .unsupported),
            Change("max_position_embeddings", "null", .missingField),
            Change("model_type", "\"roberta\"", .unsupported),
        ])
    func wrongBERT(_ change: Change) throws {
        let folder = try TemporaryFolder()
        try folder.write(change.applied(to: Self.bert), as: "config.json")
        let error = refusal { _ = try BERTConfiguration(folder: folder.folder) }
        #expect(error?.kind == change.kind, "\(error?.description ?? "")")
        #expect(error?.description.contains("config.json") == true)
    }

    @Test("BERT's tensors, under all the names that they have had")
    func bertTensors() throws {
        let folder = try TemporaryFolder()
        try folder.write(Self.bert, as: "config.json")
        let configuration = try BERTConfiguration(folder: folder.folder)
        #expect(configuration.tensors.count == 5 + 16)
        let plain = configuration.tensors.map { stored($0.name, $0.shape, .float16) }
        try folder.write(
            plain + [stored("embeddings.position_ids", [1, 8], .int64), stored("pooler.dense.weight", [4, 4])],
            as: "model.safetensors")
        #expect(try configuration.checkpoint(folder: folder.folder).names.count == 23)
        let old = configuration.tensors.map { tensor in
            stored(
                "bert."
                    + tensor.name.replacingOccurrences(of: "LayerNorm.weight", with: "LayerNorm.gamma")
                    .replacingOccurrences(of: "LayerNorm.bias", with: "LayerNorm.beta"), tensor.shape)
        }
        try folder.write(old + [stored("cls.predictions.bias", [10])], as: "model.safetensors")
        let checkpoint = try configuration.checkpoint(folder: folder.folder)
        #expect(try checkpoint.tensor(named: "embeddings.LayerNorm.bias", shape: [4]).shape == [4])
        try folder.write(Array(plain.dropFirst()) + [stored("encoder.layer.1.x", [1])], as: "model.safetensors")
        let error = refusal { _ = try configuration.checkpoint(folder: folder.folder) }
        #expect(error?.missing == ["embeddings.word_embeddings.weight"])
        #expect(error?.extra == ["encoder.layer.1.x"])
    }

    @Test("a tokenizer with more ids than the embedding has rows is refused")
    func tokenRange() throws {
        let folder = try TemporaryFolder()
        try folder.write(Self.bert, as: "config.json")
        let configuration = try BERTConfiguration(folder: folder.folder)
        let ten = ["[UNK]"] + (1..<10).map { "t\($0)" }
        try configuration.check(WordPieceTokenizer(vocabulary: ten), folder: folder.folder)
        let error = refusal {
            try configuration.check(WordPieceTokenizer(vocabulary: ten + ["t"]), folder: folder.folder)
        }
        #expect(error?.kind == .tokenOutOfRange)
    }

    @Test("how sentences are pooled")
    func sentence() throws {
        let folder = try Self.sentenceFolder()
        let read = try SentenceConfiguration(folder: folder.folder)
        #expect(read.pooling == .cls && read.normalizes && read.lowercasesText)
        #expect(read.longestSequence == 5)
        try folder.write(#"{"pooling_mode": "max"}"#, as: "1_Pooling/config.json")
        #expect(try SentenceConfiguration(folder: folder.folder).pooling == .max)
        let plain = try TemporaryFolder()
        try plain.write(Self.bert, as: "config.json")
        let alone = try SentenceConfiguration(folder: plain.folder)
        #expect(alone.pooling == .mean && !alone.normalizes && alone.longestSequence == 8)
        let nested = try TemporaryFolder()
        try nested.write(Self.bert, as: "0_Transformer/config.json")
        try nested.write(#"{"pooling_mode_mean_tokens": true}"#, as: "1_Pooling/config.json")
        try nested.write(
            #"[{"path": "0_Transformer", "type": "x.Transformer"}, {"path": "1_Pooling", "type": "x.Pooling"}]"#,
            as: "modules.json")
        let within = try SentenceConfiguration(folder: nested.folder)
        #expect(within.encoderFolder.path == nested.path + "/0_Transformer" && !within.normalizes)
    }

    @Test(
        "sentence folders that cannot be right",
        arguments: [
            ("modules.json", #"[{"path": "../x", "type": "a.Transformer"}]"#, CheckpointError.Kind.pathLeavesFolder),
            (
                "modules.json", #"[{"path": "", "type": "a.Transformer"}, {"path": "/etc", "type": "a.Pooling"}]"#,
                .pathLeavesFolder
            ),
            (
                "modules.json", #"[{"path": "", "type": "a.Transformer"}, {"path": "x", "type": "a.Pooling"}]"#,
                .missingFile
            ),
            (
                "modules.json", #"[{"path": "", "type": "a.Transformer"}, {"path": "x", "type": "a.Dense"}]"#,
                .unsupported
            ),
            ("modules.json", #"[{"path": 1, "type": "a.Transformer"}]"#, .wrongType),
            ("modules.json", "{}", .wrongType),
            ("modules.json", #"[{"path": "", "type": "a.Normalize"}]"#, .unsupported),
            ("1_Pooling/config.json", #"{"pooling_mode_lasttoken": true}"#, .unsupported),
            ("1_Pooling/config.json", #"{"pooling_mode_cls_token": 1}"#, .wrongType),
            ("1_Pooling/config.json", "{}", .unsupported),
            (
                "1_Pooling/config.json", #"{"pooling_mode_cls_token": true, "pooling_mode_mean_tokens": true}"#,
                .unsupported
            ),
            (
                "1_Pooling/config.json", #"{"pooling_mode_cls_token": true, "word_embedding_dimension": 5}"#,
                .invalidValue
            ),
            ("sentence_bert_config.json", #"{"max_seq_length": "5"}"#, .wrongType),
            ("sentence_bert_config.json", #"{"max_seq_length": 0}"#, .invalidValue),
            ("sentence_bert_config.json", #"{"do_lower_case": 0}"#, .wrongType), ("config.json", "", .syntax),
        ])
    func wrongSentence(_ file: String, _ text: String, _ kind: CheckpointError.Kind) throws {
        let folder = try Self.sentenceFolder()
        try folder.write(text, as: file)
        let error = refusal { _ = try SentenceConfiguration(folder: folder.folder) }
        #expect(error?.kind == kind, "\(error?.description ?? "")")
    }
}
