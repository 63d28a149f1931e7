import TensorFiles

extension TokenizerParts {
    /// Reads `tokenizer.json`, whose model has to be WordPiece with BERT's normalisation and splitting.
    init(tokenizerFile json: JSONReader) throws(CheckpointError) {
        file = json.file
        let model = try json.member("model")
        try model.optional("type")?.choice(["WordPiece": ()])
        options.unknownToken = try model.optional("unk_token")?.string ?? "[UNK]"
        options.continuingPrefix = try model.optional("continuing_subword_prefix")?.string ?? "##"
        options.longestWord = try model.integer("max_input_chars_per_word", in: 0...Self.largestID, default: 100)
        try readVocabulary(model.member("vocab"))

        let normalizer = try json.member("normalizer")
        try normalizer.member("type").choice(["BertNormalizer": ()])
        options.normalizer = BERTNormalizer(
            cleansText: try normalizer.bool("clean_text", default: true),
            separatesIdeographs: try normalizer.bool("handle_chinese_chars", default: true),
            stripsAccents: try normalizer.optional("strip_accents")?.bool,
            lowercases: try normalizer.bool("lowercase", default: true))
        try json.member("pre_tokenizer").member("type").choice(["BertPreTokenizer": ()])

        let vocabulary = try model.member("vocab").object
        for token in try json.optional("added_tokens")?.array ?? [] {
            var added = try Self.addedToken(token, id: token.member("id").integer(in: 0...Self.largestID))
            // Where the two differ, the vocabulary is right.
            if case .integer(let id)? = vocabulary[ByteText(added.content)] { added.id = id }
            addedTokens.append(added)
        }
        if let processor = try json.optional("post_processor") { try readProcessor(processor) }
        if let decoder = try json.optional("decoder") {
            options.cleansDecodedText = try decoder.bool("cleanup", default: true)
        }
    }

    private mutating func readVocabulary(_ vocabulary: JSONReader) throws(CheckpointError) {
        let members = try vocabulary.object
        pairs.reserveCapacity(members.count)
        var other: (token: String, value: JSONValue)?
        for (token, value) in members {
            if case .integer(let id) = value {
                pairs.append((token.text, id))
            } else if other.map({ token.text.utf8.lexicographicallyPrecedes($0.token.utf8) }) ?? true {
                other = (token.text, value)
            }
        }
        if let other {
            throw JSONReader(other.value, file: file, path: "model.vocab.\(MessageText.quoted(other.token))").error(
                .wrongType, expected: "a whole number")
        }
        // Objects have no order: errors name the entry with the smallest id that is wrong, the same each time.
        pairs.sort { $0.id != $1.id ? $0.id < $1.id : $0.token.utf8.lexicographicallyPrecedes($1.token.utf8) }
    }

    /// What is put around a text: a template, or the older forms with one token on either side.
    private mutating func readProcessor(_ processor: JSONReader) throws(CheckpointError) {
        let isTemplate = try processor.member("type").choice([
            "TemplateProcessing": true, "BertProcessing": false, "RobertaProcessing": false,
        ])
        if !isTemplate {
            options.leading = [try pairedID(processor.member("cls"))]
            options.trailing = [try pairedID(processor.member("sep"))]
            return
        }
        var hasText = false
        for step in try processor.member("single").array {
            if try step.optional("Sequence") != nil {
                if hasText { throw step.error(.unsupported, expected: "a template with one text", found: "two") }
                hasText = true
                continue
            }
            let name = try step.member("SpecialToken").member("id").string
            let ids = try processor.member("special_tokens").member(name).member("ids")
            for id in try ids.array {
                let id = try id.integer(in: 0...Self.largestID)
                if hasText { options.trailing.append(id) } else { options.leading.append(id) }
            }
        }
    }

    /// The id of a pair `["[CLS]", 101]`.
    private func pairedID(_ pair: JSONReader) throws(CheckpointError) -> Int {
        let parts = try pair.array
        guard parts.count == 2 else { throw pair.invalid("a token and its id", found: "\(parts.count) elements") }
        return try parts[1].integer(in: 0...Self.largestID)
    }
}
