import TensorFiles

/// The entries of a vocabulary, each with its token id, compared byte for byte: "é" in one scalar and in two are two entries.
struct Vocabulary: Sendable {
    /// Longest entry, in bytes, so that looking one up takes bounded time.
    static let longestEntry = 4096

    /// The entry of each id; nil for an id without one.
    let entries: [String?]
    private(set) var trie = ByteTrie()

    /// Takes entries with their ids. Of an entry with two ids the later one counts.
    ///
    /// Ids may leave some out, but the largest has to be about the number of entries, as memory is needed for each.
    init(checking pairs: [(token: String, id: Int)], file: String) throws(CheckpointError) {
        let limit = 2 * pairs.count + 1024
        var entries: [String?] = []
        entries.reserveCapacity(pairs.count)
        for (token, id) in pairs {
            guard id >= 0, id < limit else {
                throw CheckpointError(
                    .tokenOutOfRange, file: file, place: MessageText.quoted(token),
                    expected: "an id about as small as the number of entries, \(pairs.count)", found: "\(id)")
            }
            if id >= entries.count { entries.append(contentsOf: repeatElement(nil, count: id + 1 - entries.count)) }
            if let other = entries[id] {
                throw CheckpointError(
                    .duplicateToken, file: file, place: MessageText.quoted(token), expected: "an id of its own",
                    found: "\(id), which \(MessageText.quoted(other)) has")
            }
            entries[id] = token
            let isShort = token.utf8.count <= Self.longestEntry
            guard isShort, trie.insert(token, value: Int32(truncatingIfNeeded: id)) else {
                throw CheckpointError(
                    .tooLarge, file: file, place: MessageText.quoted(token),
                    expected: isShort
                        ? "entries of \(ByteTrie.capacity) bytes in all" : "at most \(Self.longestEntry) bytes",
                    found: "more")
            }
        }
        self.entries = entries
    }

    var count: Int { entries.count }

    func token(_ id: Int) -> String? { entries.indices.contains(id) ? entries[id] : nil }

    func id(of token: String) -> Int? {
        trie.node(of: token).flatMap(trie.value)
    }
}
