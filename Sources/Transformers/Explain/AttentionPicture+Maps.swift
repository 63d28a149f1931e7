import Attention

extension AttentionPicture {
    /// The maps of one input, as forward passes keep them, with a section for each kind that is there.
    ///
    /// - Parameters:
    ///   - maps: of a batch of one.
    ///   - source: the encoder's tokens.
    ///   - target: the decoder's.
    /// - Throws: ``AttentionPictureError`` if they do not fit the tokens; `AttentionError` if they cannot be read.
    public static func sections(_ maps: [AttentionMap], source: [String], target: [String]) throws -> [Section] {
        try AttentionMap.Part.allCases.compactMap { part in
            let own = maps.filter { $0.part == part }.sorted { $0.layer < $1.layer }
            if own.isEmpty { return nil }
            let (queries, keys) = (part == .encoder ? source : target, part == .decoder ? target : source)
            return try Section(
                name: part.rawValue, queries: queries, keys: keys, layers: try own.map { try heads($0.weights) })
        }
    }

    /// The weights of each head, of the only batch entry.
    private static func heads(_ weights: Tensor) throws -> [[Float]] {
        guard weights.rank == 4, weights.shape[0] == 1 else {
            throw AttentionPictureError(
                place: "weights", expected: "[1, heads, queries, keys]", found: "\(weights.shape)")
        }
        let numbers = try weights.floats()
        let each = weights.shape[2] * weights.shape[3]
        return (0..<weights.shape[1]).map { Array(numbers[$0 * each..<($0 + 1) * each]) }
    }
}
