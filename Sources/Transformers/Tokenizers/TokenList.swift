import TensorFiles

/// The entries of a tokenizer in the order of their ids, each once.
public struct TokenList: Sendable {
    let vocabulary: Vocabulary
    /// What errors call the list.
    let file: String

    public var count: Int { vocabulary.count }

    /// Takes entries as they are. Texts of the same bytes are the same entry; canonically equivalent ones are two.
    ///
    /// - Throws: ``CheckpointError`` of kind `duplicateToken` or `tooLarge`.
    public init(_ tokens: [String]) throws(CheckpointError) { try self.init(tokens, file: "tokens") }

    init(_ tokens: [String], file: String) throws(CheckpointError) {
        var places: [ByteText: Int] = [:]
        places.reserveCapacity(tokens.count)
        for (place, token) in tokens.enumerated() {
            if let first = places.updateValue(place, forKey: ByteText(token)) {
                throw CheckpointError(
                    .duplicateToken, file: file, place: "[\(place)]", expected: "each token once",
                    found: "\(MessageText.quoted(token)), which [\(first)] is too")
            }
        }
        vocabulary = try Vocabulary(
            checking: tokens.enumerated().map { (token: $0.element, id: $0.offset) }, file: file)
        self.file = file
    }

    /// A JSON list of strings.
    init(folder: ModelFolder, name: String) throws(CheckpointError) {
        let json = try folder.json(name)
        try self.init(json.strings, file: json.file)
    }

    /// The entry with this id, or nil.
    public func token(_ id: Int) -> String? { vocabulary.token(id) }

    /// The id of an entry, compared byte for byte, or nil.
    public func id(of token: String) -> Int? { vocabulary.id(of: token) }

    func checked(_ ids: some Sequence<Int>) throws(CheckpointError) {
        for id in ids where id < 0 || id >= count {
            throw CheckpointError(.tokenOutOfRange, file: file, expected: "ids from 0 to \(count - 1)", found: "\(id)")
        }
    }
}
