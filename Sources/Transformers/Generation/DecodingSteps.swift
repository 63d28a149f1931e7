import Attention

/// Computes which tokens may follow the hypotheses of a batch of sources, one step after the other.
///
/// With the cache, keys and values of the sources are computed once, and those of each token once: a step costs the projections
/// of one row a hypothesis, and one read of the caches. Hypotheses that change places have their caches copied; nothing else
/// is. A step in which the device fails begins again from the caches as they were.
final class DecodingSteps {
    private let model: Transformer
    private let sources: EncodedSources
    private let pass: ForwardPass
    private let memory: [ProjectedKeys]?
    private var caches: [KeyValueCache] = []
    private var length = 0

    /// - Parameter capacity: tokens that caches have room for at first.
    init(
        _ model: Transformer, _ sources: EncodedSources, usesCache: Bool, capacity: Int, _ pass: ForwardPass
    ) throws(AttentionError) {
        (self.model, self.sources, self.pass) = (model, sources, pass)
        guard usesCache else {
            memory = nil
            return
        }
        memory = try pass.run { () throws(AttentionError) in
            try model.decoder.projectedMemory(sources.memory, KeySelection(), pass)
        }
        for layer in model.decoder.layers {
            caches.append(try layer.selfAttention.makeCache(sequences: max(sources.count, 1), capacity: capacity))
        }
    }

    /// One hypothesis of a batch.
    struct Row {
        let source: Int
        /// Which row of the step before it continues.
        let parent: Int
        /// All its tokens, the start token included; the last is new.
        let tokens: [Int]
    }

    /// - Parameters:
    ///   - rows: in ascending order of their sources.
    ///   - count: how many tokens to return for each.
    /// - Returns: for each row the likeliest tokens, likeliest first.
    func advance(_ rows: [Row], count: Int) throws(AttentionError) -> [[BeamSearch.Extension]] {
        let indices = try pass.tensor([rows.count, count], .int32)
        let values = try pass.tensor([rows.count, count])
        let before = caches.map { (cache: $0, snapshot: $0.snapshot) }
        let undo = { [self] in
            for (cache, snapshot) in before { cache.restore(snapshot) }
            caches = before.map(\.cache)
        }
        let (tokens, probabilities) = try pass.run(undo: undo) { () throws(AttentionError) in
            let logits = memory == nil ? try whole(rows) : try next(rows)
            try pass.perform(
                .selection(SelectionOperation(logits: logits, count: count, indices: indices, values: values)))
            return (try indices.doubles(), try values.doubles())
        }
        length += 1
        return rows.indices.map { row in
            (row * count..<(row + 1) * count).map {
                BeamSearch.Extension(token: Int(tokens[$0]), logProbability: probabilities[$0])
            }
        }
    }

    /// Where the rows of each source begin.
    private func offsets(_ rows: [Row], tokensEach: Int) -> [Int] {
        var counts = [Int](repeating: 0, count: sources.count)
        for row in rows { counts[row.source] += tokensEach }
        return counts.reduce(into: [0]) { $0.append(($0.last ?? 0) + $1) }
    }

    /// Logits `[1, rows, vocabulary]` behind the last tokens, by way of the caches.
    private func next(_ rows: [Row]) throws(AttentionError) -> Tensor {
        let parents = rows.map(\.parent)
        for index in caches.indices where length > 0 {
            if parents.count == caches[index].sequences {
                try caches[index].reorder(parents)
            } else {
                caches[index] = try caches[index].selecting(parents)
            }
        }
        let tokens = rows.map { Int32(clamping: $0.tokens.last ?? 0) }
        let positions = [Int32](repeating: Int32(clamping: length), count: rows.count)
        let input = try model.targetEmbedding(
            tokens, adding: [(model.targetPositions, positions)], shape: [1, rows.count], pass: pass)
        var selection = KeySelection()
        (selection.queryOffsets, selection.keyOffsets) = (offsets(rows, tokensEach: 1), sources.offsets)
        let keys = (memory ?? []).map { ProjectedKeys(key: $0.key, value: $0.value, selection: selection) }
        let output = try model.decoder.step(input, memory: keys, caches: caches, pass)
        return try model.generator(output, pass: pass)
    }

    /// The same from all tokens of all rows.
    private func whole(_ rows: [Row]) throws(AttentionError) -> Tensor {
        let each = length + 1
        let packed = try PackedTokens(
            rows.map(\.tokens), longest: model.configuration.maximumPositions,
            vocabulary: model.configuration.targetVocabulary, "target")
        let output = try model.decoded(packed, offsets(rows, tokensEach: each), sources, pass)
        let width = model.configuration.layer.modelDimension
        let last = try output.viewed(
            shape: [1, rows.count, width], strides: [0, each * width, 1],
            offset: output.layout.offset + (each - 1) * width)
        return try model.generator(last, pass: pass)
    }
}
