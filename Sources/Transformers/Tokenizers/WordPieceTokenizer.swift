/// BERT's tokenizer: normalised text is split at white space and around punctuation, and each word into the longest entries of
/// the vocabulary from left to right, all but the first of which carry a prefix (`##`).
///
/// A word that cannot be split whole, or has more than ``Options/longestWord`` scalars, is the unknown token. Special tokens
/// written out in the text count as such. It gives the token ids that Hugging Face's `BertTokenizerFast` gives. Time is linear
/// in the text's length, times the longest entry's at worst.
///
/// Wu et al., "Google's Neural Machine Translation System" (2016), section 4.1; Devlin et al., "BERT" (2019).
public struct WordPieceTokenizer: Tokenizer {
    /// How text is split and what is put around it.
    public struct Options: Hashable, Sendable {
        public var normalizer = BERTNormalizer()
        /// The entry for a word that cannot be split.
        public var unknownToken = "[UNK]"
        /// What the entries begin with that go on within a word.
        public var continuingPrefix = "##"
        /// Most scalars of a word that is split.
        public var longestWord = 100
        /// Ids put before and after the text's own.
        public var leading: [Int] = []
        public var trailing: [Int] = []
        /// Most ids of a text, those around it included; nil for no limit.
        public var longestSequence: Int?
        /// Whether decoding removes the spaces before punctuation and within English contractions.
        public var cleansDecodedText = true
        /// Whether the text is lowered before special tokens are looked for, as sentence models may ask.
        public var lowercasesFirst = false

        public init() {}
    }

    /// How this tokenizer works; to be changed by making another.
    public let options: Options
    /// Tokens found as written.
    public let addedTokens: [AddedToken]

    let vocabulary: Vocabulary
    let addedByID: [Int: AddedToken]
    private let addedByContent: [ByteText: Int]
    /// What decoding writes for added tokens: normalised, where they are looked for in normalised text.
    let decodedTokens: [Int: String]
    private let rawMatcher: AddedTokenMatcher
    private let normalizedMatcher: AddedTokenMatcher
    private let unknown: Int
    /// Where the walk through the vocabulary begins within a word; nil if no entry has the prefix.
    private let continuing: UInt32?

    /// A tokenizer over a vocabulary whose ids are the entries' places; of an entry that occurs twice the last one counts.
    ///
    /// - Throws: ``CheckpointError`` of kind `unknownToken`, `tokenOutOfRange`, `invalidValue` or `tooLarge`.
    public init(
        vocabulary: [String], addedTokens: [AddedToken] = [], options: Options = Options()
    ) throws(CheckpointError) {
        let pairs = vocabulary.enumerated().map { (token: $0.element, id: $0.offset) }
        try self.init(pairs: pairs, addedTokens: addedTokens, options: options, file: "vocabulary")
    }

    /// A tokenizer over entries with ids. `file` is what errors call them.
    init(
        pairs: [(token: String, id: Int)], addedTokens: [AddedToken], options: Options, file: String
    ) throws(CheckpointError) {
        let vocabulary = try Vocabulary(checking: pairs, file: file)
        guard let unknown = vocabulary.id(of: options.unknownToken) else {
            throw CheckpointError(
                .unknownToken, file: file, expected: "the unknown token in the vocabulary", found: "none")
        }
        try Self.check(addedTokens, options, count: vocabulary.count, file: file)
        self.options = options
        self.addedTokens = addedTokens
        self.vocabulary = vocabulary
        self.unknown = unknown
        addedByID = Dictionary(addedTokens.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        addedByContent = Dictionary(
            addedTokens.map { (ByteText($0.content), $0.id) }, uniquingKeysWith: { first, _ in first })
        decodedTokens = addedByID.mapValues {
            $0.isNormalized ? options.normalizer.normalize($0.content) : $0.content
        }
        rawMatcher = AddedTokenMatcher(addedTokens.filter { !$0.isNormalized }) { $0.content }
        normalizedMatcher = AddedTokenMatcher(addedTokens.filter(\.isNormalized)) {
            options.normalizer.normalize($0.content)
        }
        continuing = vocabulary.trie.node(of: options.continuingPrefix)
    }

    private static func check(
        _ tokens: [AddedToken], _ options: Options, count: Int, file: String
    ) throws(CheckpointError) {
        let limit = count + tokens.count
        let around = options.leading.count + options.trailing.count
        let ids = tokens.map(\.id) + options.leading + options.trailing
        if let odd = ids.first(where: { $0 < 0 || $0 >= limit }) {
            throw CheckpointError(
                .tokenOutOfRange, file: file, expected: "ids of added tokens from 0 to \(limit - 1)", found: "\(odd)")
        }
        if let long = tokens.first(where: { $0.content.utf8.count > Vocabulary.longestEntry }) {
            throw CheckpointError(
                .tooLarge, file: file, expected: "added tokens of at most \(Vocabulary.longestEntry) bytes",
                found: "\(long.content.utf8.count)")
        }
        if let longest = options.longestSequence, longest < around {
            throw CheckpointError(
                .invalidValue, file: file, expected: "a longest sequence of \(around) or more, for the special tokens",
                found: "\(longest)")
        }
    }
}

extension WordPieceTokenizer {
    public var vocabularyCount: Int {
        let others = addedTokens.map(\.id) + options.leading + options.trailing
        return max(vocabulary.count, (others.max() ?? -1) + 1)
    }

    public func token(_ id: Int) -> String? { addedByID[id]?.content ?? vocabulary.token(id) }

    public func id(of token: String) -> Int? { addedByContent[ByteText(token)] ?? vocabulary.id(of: token) }

    public func encode(_ text: String) -> [Int] { encode(text, longest: options.longestSequence).ids }

    /// The token ids of `text`, and whether there were more than `longest`.
    ///
    /// - Parameters:
    ///   - text: of any length.
    ///   - longest: most ids, those around the text included; nil for all. No fewer than those around the text are given.
    public func encode(_ text: String, longest: Int?) -> (ids: [Int], isTruncated: Bool) {
        let around = options.leading.count + options.trailing.count
        // One more than fits tells that there is more.
        let limit = longest.map { max($0 - around, 0) + 1 } ?? Int.max
        var ids = options.leading
        var room = limit
        var normalized: [UInt8] = []
        let raw = options.lowercasesFirst ? TextLowering.lowered(text) : text
        raw.withUTF8Bytes { bytes in
            _ = rawMatcher.forEachPart(of: bytes) { part in
                switch part {
                case .token(let id):
                    ids.append(id)
                    room -= 1
                    return room > 0
                case .text(let bytes):
                    normalized.removeAll(keepingCapacity: true)
                    options.normalizer.append(bytes, to: &normalized)
                    return normalized.withUnsafeBufferPointer { appendNormalized($0, to: &ids, room: &room) }
                }
            }
        }
        let isTruncated = limit != Int.max && room <= 0
        if isTruncated { ids.removeLast(1 - room) }
        return (ids + options.trailing, isTruncated)
    }

    private func appendNormalized(
        _ bytes: UnsafeBufferPointer<UInt8>, to ids: inout [Int], room: inout Int
    ) -> Bool {
        if normalizedMatcher.isEmpty { return appendWords(bytes, to: &ids, room: &room) }
        return normalizedMatcher.forEachPart(of: bytes) { part in
            switch part {
            case .token(let id):
                ids.append(id)
                room -= 1
                return room > 0
            case .text(let bytes): return appendWords(bytes, to: &ids, room: &room)
            }
        }
    }

    /// Splits at white space, which goes, and around each punctuation mark, which stays. False once there is no more room.
    private func appendWords(
        _ bytes: UnsafeBufferPointer<UInt8>, to ids: inout [Int], room: inout Int
    ) -> Bool {
        let tables = ScalarTables.shared
        var start = 0
        var length = 0
        var position = 0
        while position < bytes.count, room > 0 {
            let (scalar, next) = ScalarBytes.decode(bytes, position)
            let kind = tables.kind(scalar)
            let isSeparator = kind.contains(.separator)
            if isSeparator || kind.contains(.punctuation) {
                appendWord(bytes, start..<position, length: length, to: &ids, room: &room)
                if !isSeparator { appendWord(bytes, position..<next, length: 1, to: &ids, room: &room) }
                start = next
                length = 0
            } else {
                length += 1
            }
            position = next
        }
        if room > 0 { appendWord(bytes, start..<bytes.count, length: length, to: &ids, room: &room) }
        return room > 0
    }

    /// Splits one word, `length` scalars long, into entries, or gives the unknown token for all of it.
    @inline(__always)
    private func appendWord(
        _ bytes: UnsafeBufferPointer<UInt8>, _ word: Range<Int>, length: Int, to ids: inout [Int], room: inout Int
    ) {
        if word.isEmpty { return }
        let count = ids.count
        defer { room -= ids.count - count }
        if length > options.longestWord { return ids.append(unknown) }
        var start = word.lowerBound
        var node: UInt32? = ByteTrie.root
        while start < word.upperBound {
            guard let from = node,
                let match = vocabulary.trie.longestMatch(bytes, from: start, to: word.upperBound, below: from)
            else {
                ids.removeLast(ids.count - count)
                return ids.append(unknown)
            }
            ids.append(match.value)
            start = match.end
            node = continuing
        }
    }
}
