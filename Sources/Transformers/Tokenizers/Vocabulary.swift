/// The entries of a vocabulary, each with its token id, compared byte for byte: "é" in one scalar and in two are two entries.
struct Vocabulary: Sendable {
    /// Longest entry, in bytes, so that looking one up takes bounded time.
    static let longestEntry = 4096

    /// The entry of each id; nil for an id without one.
    let entries: [String?]
    private(set) var trie = ByteTrie()

    /// Takes entries with ids that the caller has checked: none is negative, and the largest is about their number.
    init(_ pairs: some Collection<(token: String, id: Int)>) {
        var entries: [String?] = []
        for (token, id) in pairs where id >= 0 {
            if id >= entries.count { entries.append(contentsOf: repeatElement(nil, count: id + 1 - entries.count)) }
            entries[id] = token
            trie.insert(token, value: Int32(truncatingIfNeeded: id))
        }
        self.entries = entries
    }

    var count: Int { entries.count }

    func token(_ id: Int) -> String? { entries.indices.contains(id) ? entries[id] : nil }

    func id(of token: String) -> Int? {
        token.withUTF8Bytes { bytes in
            var node = ByteTrie.root
            for byte in bytes {
                guard let next = trie.step(node, byte) else { return nil }
                node = next
            }
            return trie.value(node)
        }
    }
}
