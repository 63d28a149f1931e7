import TensorFiles

extension TokenizerParts {
    /// The special tokens of BERT: how `tokenizer_config.json` and `special_tokens_map.json` call them, and what they are
    /// unless said.
    private static let specialTokens: KeyValuePairs = [
        "pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]", "mask_token": "[MASK]",
    ]

    /// Reads `vocab.txt`, an entry a line, with the settings beside it.
    init(vocabularyOf folder: ModelFolder, settings: JSONReader?) throws(CheckpointError) {
        guard try folder.existingFile("vocab.txt") != nil else {
            throw CheckpointError(
                .missingFile, file: folder.path, expected: "tokenizer.json or vocab.txt", found: "neither")
        }
        file = try folder.file("vocab.txt")
        try readLines(folder.bytes("vocab.txt"))
        if let settings {
            options.normalizer = BERTNormalizer(
                separatesIdeographs: try settings.bool("tokenize_chinese_chars", default: true),
                stripsAccents: try settings.optional("strip_accents")?.bool,
                lowercases: try settings.bool("do_lower_case", default: true))
        }
        let map = try folder.optionalJSON("special_tokens_map.json")
        for (key, usual) in Self.specialTokens {
            var named = try settings?.optional(key)
            if named == nil { named = try map?.optional(key) }
            let token = try named.map { reader throws(CheckpointError) in try Self.specialToken(reader) }
            let content = token?.content ?? usual
            if key == "unk_token" { options.unknownToken = content }
            guard let id = id(of: content) else {
                if key == "cls_token" || key == "sep_token" {
                    throw CheckpointError(
                        .unknownToken, file: file, expected: "the entry \(MessageText.quoted(content))", found: "none")
                }
                continue
            }
            if key == "cls_token" { options.leading = [id] }
            if key == "sep_token" { options.trailing = [id] }
            var added = token ?? AddedToken(content, id: id)
            added.id = id
            if !addedTokens.contains(where: { $0.id == id }) { addedTokens.append(added) }
        }
    }

    /// A token as a string, or as an object with flags. Its id is not known yet.
    private static func specialToken(_ reader: JSONReader) throws(CheckpointError) -> AddedToken {
        if case .string(let content) = reader.value { return AddedToken(content, id: 0) }
        var token = try addedToken(reader, id: 0)
        token.isSpecial = true
        if try reader.optional("normalized") == nil { token.isNormalized = false }
        return token
    }

    /// A line ends as in Python's text files: with a line feed, a carriage return, or both.
    private mutating func readLines(_ bytes: [UInt8]) throws(CheckpointError) {
        var start = 0
        var index = 0
        while index < bytes.count || start < bytes.count {
            let isEnd = index == bytes.count
            guard isEnd || bytes[index] == 0x0A || bytes[index] == 0x0D else {
                index += 1
                continue
            }
            guard let line = String(validating: bytes[start..<index], as: UTF8.self) else {
                throw CheckpointError(
                    .syntax, file: file, place: "line \(pairs.count + 1)", expected: "UTF-8", found: "other bytes")
            }
            pairs.append((line, pairs.count))
            if !isEnd, bytes[index] == 0x0D, index + 1 < bytes.count, bytes[index + 1] == 0x0A { index += 1 }
            index += 1
            start = index
        }
    }
}
