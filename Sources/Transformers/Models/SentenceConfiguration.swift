public import Attention
import TensorFiles

/// How a sentence-transformers folder turns the vectors of a text's tokens into one.
///
/// Reimers and Gurevych, "Sentence-BERT" (2019).
public struct SentenceConfiguration: Sendable {
    /// Where the encoder's files are; often the folder itself.
    public var encoderFolder: ModelFolder
    public var encoder: BERTConfiguration
    /// How vectors are made one, over the text's own tokens, special tokens included: the mean unless the folder says otherwise.
    public var pooling: PoolingOperation.Kind
    /// Whether the folder asks for vectors of length 1.
    public var normalizes: Bool
    /// Most tokens of a text, those around it included.
    public var longestSequence: Int
    /// Whether texts are lowered before anything else.
    public var lowercasesText: Bool

    /// Reads `modules.json`, the pooling's `config.json`, `sentence_bert_config.json` and the encoder's `config.json`. A folder
    /// without `modules.json` is an encoder alone; its vectors are averaged, as sentence-transformers does.
    ///
    /// - Throws: ``CheckpointError``.
    public init(folder: ModelFolder) throws(CheckpointError) {
        var encoderFolder = folder
        var poolingFolder: ModelFolder?
        normalizes = false
        if let modules = try folder.optionalJSON("modules.json") {
            var hasEncoder = false
            for module in try modules.array {
                let type = try module.member("type").string
                let path = try module.optional("path")?.string ?? ""
                switch type.split(separator: ".").last {
                case "Transformer" where !hasEncoder:
                    encoderFolder = try folder.folder(path)
                    hasEncoder = true
                case "Pooling" where hasEncoder && poolingFolder == nil: poolingFolder = try folder.folder(path)
                // It has no files, so its folder is often left out.
                case "Normalize" where poolingFolder != nil: normalizes = true
                default:
                    throw module.error(
                        .unsupported, expected: "the modules Transformer, Pooling and Normalize, in this order",
                        found: MessageText.quoted(type))
                }
            }
        } else if try folder.existingFile("1_Pooling") != nil {
            poolingFolder = try folder.folder("1_Pooling")
        }
        self.encoderFolder = encoderFolder
        encoder = try BERTConfiguration(folder: encoderFolder)
        pooling = .mean
        if let json = try poolingFolder?.json("config.json") {
            pooling = try Self.pooling(json)
            if let width = try json.optional("word_embedding_dimension"),
                try width.integer(in: 1...BERTConfiguration.largestExtent) != encoder.hiddenSize
            {
                throw width.invalid("the encoder's hidden_size, \(encoder.hiddenSize)")
            }
        }
        let sentence = try encoderFolder.optionalJSON("sentence_bert_config.json")
        let settings = try encoderFolder.optionalJSON("tokenizer_config.json")
        longestSequence =
            try encoderFolder.longestSequence(settings: settings, sentence: sentence) ?? encoder.positions
        lowercasesText = try sentence?.bool("do_lower_case", default: false) ?? false
    }

    /// The one mode that is set, by a flag each or by name.
    private static func pooling(_ json: JSONReader) throws(CheckpointError) -> PoolingOperation.Kind {
        if let name = try json.optional("pooling_mode") {
            return try name.choice(["mean": .mean, "cls": .cls, "max": .max])
        }
        let flags: KeyValuePairs<String, PoolingOperation.Kind?> = [
            "pooling_mode_mean_tokens": .mean, "pooling_mode_cls_token": .cls, "pooling_mode_max_tokens": .max,
            "pooling_mode_mean_sqrt_len_tokens": nil, "pooling_mode_weightedmean_tokens": nil,
            "pooling_mode_lasttoken": nil,
        ]
        var chosen: [PoolingOperation.Kind?] = []
        for (key, pooling) in flags where try json.bool(key, default: false) { chosen.append(pooling) }
        guard chosen.count == 1, let pooling = chosen[0] else {
            throw json.error(
                .unsupported, expected: "one of the pooling modes mean, cls and max",
                found: chosen.isEmpty ? "none" : chosen.count == 1 ? "another" : "\(chosen.count)")
        }
        return pooling
    }
}
