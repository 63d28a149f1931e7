import TensorFiles

extension WordPieceTokenizer {
    /// The tokenizer of a BERT-type model in Hugging Face's form: `tokenizer.json` if it is there, else `vocab.txt`, with
    /// `tokenizer_config.json` and `special_tokens_map.json`.
    ///
    /// Texts are cut to `max_seq_length` of `sentence_bert_config.json`, else `model_max_length` of `tokenizer_config.json`,
    /// and in any case to `max_position_embeddings` of `config.json`. A truncation that `tokenizer.json` itself holds is not
    /// used.
    ///
    /// - Throws: ``CheckpointError``.
    public init(folder: ModelFolder) throws(CheckpointError) {
        let settings = try folder.optionalJSON("tokenizer_config.json")
        let sentence = try folder.optionalJSON("sentence_bert_config.json")
        var parts =
            try folder.existingFile("tokenizer.json") != nil
            ? try TokenizerParts(tokenizerFile: folder.json("tokenizer.json"))
            : try TokenizerParts(vocabularyOf: folder, settings: settings)
        try parts.addTokens(of: settings)
        parts.options.longestSequence = try folder.longestSequence(settings: settings, sentence: sentence)
        parts.options.lowercasesFirst = try sentence?.bool("do_lower_case", default: false) ?? false
        try self.init(pairs: parts.pairs, addedTokens: parts.addedTokens, options: parts.options, file: parts.file)
    }
}

/// What a tokenizer is made of, as files hold it.
struct TokenizerParts {
    var pairs: [(token: String, id: Int)] = []
    var addedTokens: [AddedToken] = []
    var options = WordPieceTokenizer.Options()
    /// The file that holds the vocabulary.
    let file: String

    static let largestID = ByteTrie.capacity

    /// The id of an entry, for the few tokens that configurations name.
    func id(of token: String) -> Int? {
        addedTokens.first { ByteText($0.content) == ByteText(token) }?.id
            ?? pairs.last { ByteText($0.token) == ByteText(token) }?.id
    }

    /// Adds the tokens that `tokenizer_config.json` lists by id and that are not there yet.
    mutating func addTokens(of settings: JSONReader?) throws(CheckpointError) {
        guard let listed = try settings?.optional("added_tokens_decoder") else { return }
        var found: [AddedToken] = []
        for key in try listed.object.keys.sorted(by: { $0.text.utf8.lexicographicallyPrecedes($1.text.utf8) }) {
            guard let id = Int(key.text), (0...Self.largestID).contains(id) else {
                throw listed.error(.wrongType, expected: "keys that are token ids", found: MessageText.quoted(key.text))
            }
            found.append(try Self.addedToken(listed.member(key.text), id: id))
        }
        found.sort { $0.id < $1.id }
        let known = Set(addedTokens.map { ByteText($0.content) })
        addedTokens += found.filter { !known.contains(ByteText($0.content)) }
    }

    static func addedToken(_ reader: JSONReader, id: Int) throws(CheckpointError) -> AddedToken {
        let content = try reader.member("content")
        guard !(try content.string.isEmpty) else { throw content.invalid("a token", found: "an empty string") }
        let isSpecial = try reader.bool("special", default: false)
        return AddedToken(
            try content.string, id: id, isSpecial: isSpecial, stripsLeft: try reader.bool("lstrip", default: false),
            stripsRight: try reader.bool("rstrip", default: false),
            isSingleWord: try reader.bool("single_word", default: false),
            isNormalized: try reader.bool("normalized", default: !isSpecial))
    }
}
