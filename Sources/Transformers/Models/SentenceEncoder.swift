public import Attention

/// Sentence embeddings: texts in, a vector for each out, so that texts of similar meaning have vectors of a similar direction.
///
/// ```swift
/// let encoder = try SentenceEncoder(folder: ModelFolder(path: "all-MiniLM-L6-v2"), device: .native())
/// let found = try encoder.embeddings(["A cat sits.", "A dog sleeps."])
/// print(SentenceEncoder.similarity(found.map(\.vector)))
/// ```
///
/// Texts are put in batches by their lengths, and the rows of a batch are packed: no padding is computed. Source: Reimers and
/// Gurevych 2019, arXiv 1908.10084.
public struct SentenceEncoder: Sendable {
    /// How texts become vectors.
    public struct Options: Hashable, Sendable {
        /// `nil` is what the folder says.
        public var pooling: PoolingOperation.Kind?
        /// Whether vectors are brought to length 1.
        public var isNormalized = true
        /// The most tokens that are computed at once, unless a single text has more.
        public var tokensAtOnce = 1024

        public init() {}
    }

    public let model: BERTModel
    public let tokenizer: WordPieceTokenizer
    /// What the folder says.
    public let configuration: SentenceConfiguration

    public var device: Device { model.device }
    /// The width of the vectors.
    public var dimension: Int { model.configuration.hiddenSize }

    /// - Parameters:
    ///   - folder: a sentence-transformers folder, or that of a BERT-type model alone.
    ///   - weightType: the type that matrices are kept in; `nil` is that of the file.
    ///   - device: where to compute.
    /// - Throws: ``CheckpointError``; `AttentionError` of the device.
    public init(folder: ModelFolder, weightType: ElementType? = nil, device: Device) throws {
        configuration = try SentenceConfiguration(folder: folder)
        tokenizer = try WordPieceTokenizer(folder: configuration.encoderFolder)
        try configuration.encoder.check(tokenizer, folder: configuration.encoderFolder)
        model = try BERTModel(
            Parameters(try configuration.encoder.checkpoint(folder: configuration.encoderFolder)),
            configuration.encoder, weightType: weightType, device: device)
    }

    /// A text's tokens and its vector.
    public struct Embedding: Sendable {
        public let tokens: [Int]
        public let vector: [Float]
    }

    /// Embeds texts, in their order. Texts longer than the folder's length are cut.
    ///
    /// - Parameters:
    ///   - texts: any number of them.
    ///   - options: pooling and batches.
    ///   - pass: memory, cancelling, and who finishes a step that the device cannot.
    ///   - progress: told how many texts are done, after each batch.
    /// - Throws: `AttentionError` of the device; `cancelled`.
    public func embeddings(
        _ texts: [String], _ options: Options = .init(), pass: ForwardPass? = nil,
        progress: (Int) -> Void = { _ in }
    ) throws(AttentionError) -> [Embedding] {
        let tokens = texts.map { tokenizer.encode($0) }
        let vectors = try vectors(tokens, options, pass: pass, progress: progress)
        return zip(tokens, vectors).map { Embedding(tokens: $0, vector: $1) }
    }

    /// The form above, off the threads that tasks share; cancellable.
    public func embeddings(
        _ texts: [String], _ options: Options = .init(), fallback: FallbackPolicy = .automatic,
        control: RunControl = .init()
    ) async throws(AttentionError) -> [Embedding] {
        try await offTheTaskPool(control) { () throws(AttentionError) in
            try self.embeddings(
                texts, options, pass: ForwardPass(device, fallback: fallback, control: control), progress: { _ in })
        }
    }

    /// Embeds sequences of tokens, in their order; one without tokens gives zeros.
    public func vectors(
        _ sequences: [[Int]], _ options: Options = .init(), pass: ForwardPass? = nil,
        progress: (Int) -> Void = { _ in }
    ) throws(AttentionError) -> [[Float]] {
        let pass = pass ?? ForwardPass(device)
        var vectors = [[Float]](repeating: [], count: sequences.count)
        var done = 0
        for batch in Self.batches(sequences.map(\.count), tokensAtOnce: options.tokensAtOnce) {
            try pass.control.check()
            let pooled = try pass.tensor([batch.count, dimension])
            let numbers = try pass.run { () throws(AttentionError) in
                let (rows, offsets) = try model(batch.map { sequences[$0] }, pass: pass)
                try pass.perform(
                    .pooling(
                        PoolingOperation(
                            options.pooling ?? configuration.pooling, input: rows,
                            offsets: offsets.map { Int32(clamping: $0) }, isNormalized: options.isNormalized,
                            output: pooled)))
                return try pooled.floats()
            }
            for (place, index) in batch.enumerated() {
                vectors[index] = Array(numbers[place * dimension..<(place + 1) * dimension])
            }
            done += batch.count
            progress(done)
        }
        return vectors
    }

    /// Indices of texts that are computed together, the longest first: texts of one batch are of similar length, and the memory
    /// that the first batch takes is enough for the others.
    static func batches(_ lengths: [Int], tokensAtOnce: Int) -> [[Int]] {
        let order = lengths.indices.sorted { (lengths[$1], $0) < (lengths[$0], $1) }
        var batches: [[Int]] = []
        var tokens = 0
        for index in order {
            if batches.isEmpty || tokens + lengths[index] > tokensAtOnce {
                batches.append([])
                tokens = 0
            }
            batches[batches.count - 1].append(index)
            tokens += lengths[index]
        }
        return batches
    }

    /// The cosines between all pairs of vectors; 0 with a vector of length 0.
    public static func similarity(_ vectors: [[Float]]) -> [[Double]] {
        let lengths = vectors.map { vector in vector.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot() }
        return vectors.indices.map { row in
            vectors.indices.map { column in
                let product = zip(vectors[row], vectors[column]).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
                let scale = lengths[row] * lengths[column]
                return scale > 0 ? product / scale : 0
            }
        }
    }
}
