public import Attention
import Dispatch

extension Transformer {
    /// Generates a target for each source, blocking until all are done.
    ///
    /// - Parameters:
    ///   - sources: tokens of each, of any lengths.
    ///   - options: how tokens are chosen.
    ///   - pass: memory and cancelling.
    ///   - event: told of tokens as they come, and of each source that is done.
    /// - Returns: for each source its sequences, best first, as many as beams at most.
    /// - Throws: `AttentionError.invalid` for options or tokens that do not fit the model; `AttentionError.cancelled`.
    ///
    /// Cost: for each token the layers on one row a hypothesis, and one read of the caches.
    public func generate(
        _ sources: [[Int]], _ options: GenerationOptions, pass: ForwardPass? = nil,
        event: (GenerationEvent) -> Void = { _ in }
    ) throws(AttentionError) -> [[GeneratedSequence]] {
        let pass = pass ?? ForwardPass(device)
        return try generate(try encode(sources, pass: pass), options, pass: pass, event: event)
    }

    /// The form above for sources that are encoded.
    public func generate(
        _ sources: EncodedSources, _ options: GenerationOptions, pass: ForwardPass? = nil,
        event: (GenerationEvent) -> Void = { _ in }
    ) throws(AttentionError) -> [[GeneratedSequence]] {
        let longest = try check(options)
        let pass = pass ?? ForwardPass(device)
        let steps = try DecodingSteps(
            self, sources, usesCache: options.usesCache, capacity: min(longest, 32), pass)
        var searches = (0..<sources.count).map { _ in
            BeamSearch(
                width: options.beams, lengthPenalty: options.lengthPenalty, maximumLength: longest, end: options.end)
        }
        var rows = searches.indices.map { DecodingSteps.Row(source: $0, parent: $0, tokens: [options.start]) }
        let count = BeamSearch.extensions(width: options.beams, vocabulary: configuration.targetVocabulary)
        while !rows.isEmpty {
            try pass.control.check()
            let extensions = try steps.advance(rows, count: count)
            var next: [DecodingSteps.Row] = []
            var first = 0
            for source in searches.indices where !searches[source].isDone {
                let here = first..<first + searches[source].open.count
                first = here.upperBound
                let parents = searches[source].advance(Array(extensions[here]))
                tell(&searches[source], source, event)
                if searches[source].isDone { continue }
                for (hypothesis, parent) in zip(searches[source].open, parents) {
                    next.append(
                        DecodingSteps.Row(
                            source: source, parent: here.lowerBound + parent,
                            tokens: [options.start] + hypothesis.tokens))
                }
            }
            rows = next
        }
        return searches.map(\.ended)
    }

    private func tell(_ search: inout BeamSearch, _ source: Int, _ event: (GenerationEvent) -> Void) {
        let (position, tokens) = search.newlySettled()
        for (index, token) in tokens.enumerated() {
            event(.token(source: source, position: position + index, token: token))
        }
        if search.isDone { event(.result(source: source, sequences: search.ended)) }
    }

    /// The most tokens.
    private func check(_ options: GenerationOptions) throws(AttentionError) -> Int {
        let vocabulary = configuration.targetVocabulary
        for (name, token) in [("start", options.start), ("end", options.end)]
        where !(0..<vocabulary).contains(token) {
            throw .invalid(name, .value, expected: "a token of 0 ..< \(vocabulary)", found: "\(token)")
        }
        let most = SelectionOperation.mostCount - 1
        guard (1...most).contains(options.beams) else {
            throw .invalid("beams", .value, expected: "1 … \(most)", found: "\(options.beams)")
        }
        guard options.lengthPenalty.isFinite else {
            throw .invalid(
                "lengthPenalty", .value, expected: "a finite number", found: "\(options.lengthPenalty)")
        }
        let longest = options.maximumLength ?? configuration.maximumPositions
        guard (1...configuration.maximumPositions).contains(longest) else {
            throw .invalid(
                "maximumLength", .value, expected: "1 … \(configuration.maximumPositions), the model's positions",
                found: "\(longest)")
        }
        return longest
    }

    /// As `generate`, off the threads that tasks share, told as it goes. Ending the loop ends the work.
    ///
    /// ```swift
    /// for try await case .token(_, _, let token) in model.stream([source], options) { print(token) }
    /// ```
    public func stream(
        _ sources: [[Int]], _ options: GenerationOptions, fallback: FallbackPolicy = .automatic
    ) -> AsyncThrowingStream<GenerationEvent, any Error> {
        let control = RunControl()
        return AsyncThrowingStream { continuation in
            continuation.onTermination = { _ in control.cancel() }
            DispatchQueue.global(qos: .userInitiated).async {
                do throws(AttentionError) {
                    let pass = ForwardPass(device, fallback: fallback, control: control)
                    _ = try generate(sources, options, pass: pass) { continuation.yield($0) }
                    continuation.finish()
                } catch {
                    continuation.finish(throwing: error)
                }
            }
        }
    }
}
