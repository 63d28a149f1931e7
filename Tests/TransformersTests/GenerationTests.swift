import Attention
import Foundation
import Testing

@testable import Transformers

@Suite struct GenerationTests {
    static func model(
        _ device: Device, seed: UInt64, vocabulary: Int = 11, positions: Int = 12, isNormFirst: Bool = false,
        isTied: Bool = false
    ) throws -> Transformer {
        var configuration = Transformer.Configuration(
            layer: .init(modelDimension: 16, heads: 2, hiddenDimension: 24, isNormFirst: isNormFirst),
            sourceVocabulary: 9, targetVocabulary: vocabulary)
        (configuration.encoderLayers, configuration.decoderLayers) = (2, 2)
        configuration.maximumPositions = positions
        configuration.positions = isNormFirst ? .learned : .sinusoidal
        configuration.tiesTargetEmbedding = isTied
        // Wide biases, so that sequences end at various places.
        return try Transformer(Parameters(RandomParameters(seed: seed, spread: 0.5)), configuration, device: device)
    }

    static let sources = [[1, 2, 3], [4], [5, 6, 7, 8, 1, 2, 3], [2, 2]]

    /// Keys and values that are kept give token for token what computing all anew gives.
    @Test(arguments: Devices.all, [1, 2, 3, 5]) func cacheChangesNothing(device: Device, beams: Int) throws {
        for seed in 1...3 as ClosedRange<UInt64> {
            for penalty in [0, 0.8] {
                let model = try Self.model(device, seed: seed, isNormFirst: seed == 2, isTied: seed == 3)
                var options = GenerationOptions(start: 1, end: 2, beams: beams, lengthPenalty: penalty)
                let cached = try model.generate(Self.sources, options)
                options.usesCache = false
                let whole = try model.generate(Self.sources, options)
                #expect(cached.map { $0.map(\.tokens) } == whole.map { $0.map(\.tokens) }, "seed \(seed)")
                for (a, b) in zip(cached.joined(), whole.joined()) { #expect(abs(a.score - b.score) < 1e-4) }
            }
        }
    }

    /// A batch of sources gives what each gives alone.
    @Test(arguments: Devices.all, [1, 3]) func batchEqualsAlone(device: Device, beams: Int) throws {
        let model = try Self.model(device, seed: 4)
        let options = GenerationOptions(start: 1, end: 2, beams: beams)
        let together = try model.generate(Self.sources, options)
        for (source, found) in zip(Self.sources, together) {
            #expect(try model.generate([source], options)[0].map(\.tokens) == found.map(\.tokens))
        }
    }

    /// One beam takes the likeliest token each time, by the logits of a whole pass.
    @Test(arguments: Devices.all) func oneBeamIsGreedy(device: Device) throws {
        for seed in 5...8 as ClosedRange<UInt64> {
            let model = try Self.model(device, seed: seed)
            var (tokens, sum, isEnded) = ([1], 0.0, false)
            while tokens.count <= 12, !isEnded {
                let logits = try #require(try model.logits(source: [[3, 4]], target: [tokens]).first)
                let last = try logits.sliced(axis: 0, tokens.count - 1..<tokens.count).doubles()
                let top = last.indices.max { (last[$0], -$0) < (last[$1], -$1) } ?? 0
                sum += last[top] - logSumExp(last)
                if top == 2 { isEnded = true } else { tokens.append(top) }
            }
            for penalty in [0, 1.0] {
                let found = try model.generate(
                    [[3, 4]], GenerationOptions(start: 1, end: 2, lengthPenalty: penalty))[0][0]
                #expect(found.tokens == Array(tokens.dropFirst()), "seed \(seed)")
                #expect(found.isEnded == isEnded)
                let length = Double(found.tokens.count + (isEnded ? 1 : 0))
                #expect(abs(found.score - sum / (penalty == 0 ? 1 : length)) < 1e-4)
            }
        }
    }

    /// Beams as many as there are prefixes find the best of all sequences.
    @Test(arguments: Devices.all, [-0.5, 0, 0.7, 1]) func wideBeamsFindTheBest(device: Device, penalty: Double) throws {
        let (vocabulary, longest) = (3, 4)
        for seed in 9...11 as ClosedRange<UInt64> {
            let model = try Self.model(device, seed: seed, vocabulary: vocabulary)
            var best: [(tokens: [Int], score: Double)] = []
            func visit(_ tokens: [Int], _ sum: Double) throws {
                let logits = try #require(try model.logits(source: [[7]], target: [[1] + tokens]).first)
                let last = try logits.sliced(axis: 0, tokens.count..<tokens.count + 1).doubles()
                for token in 0..<vocabulary {
                    let total = sum + last[token] - logSumExp(last)
                    let length = tokens.count + 1
                    let score = total / power(Double(length), penalty)
                    if token == 2 {
                        best.append((tokens, score))
                    } else if length == longest {
                        best.append((tokens + [token], score))
                    } else {
                        try visit(tokens + [token], total)
                    }
                }
            }
            try visit([], 0)
            best.sort { $0.score > $1.score }
            let found = try model.generate(
                [[7]],
                GenerationOptions(start: 1, end: 2, beams: 16, lengthPenalty: penalty, maximumLength: longest))[0]
            #expect(found.count == 16)
            for (a, b) in zip(found, best) {
                #expect(abs(a.score - b.score) < 1e-4, "seed \(seed) \(a.tokens) \(b.tokens)")
            }
            #expect(found[0].tokens == best[0].tokens, "seed \(seed)")
        }
    }

    @Test(arguments: [1, 2, 7]) func lengths(longest: Int) throws {
        let model = try Self.model(.reference, seed: 12)
        for beams in [1, 3] {
            let options = GenerationOptions(start: 1, end: 2, beams: beams, maximumLength: longest)
            for found in try model.generate(Self.sources, options).joined() {
                #expect(found.tokens.count + (found.isEnded ? 1 : 0) <= longest)
                #expect(found.isEnded || found.tokens.count == longest)
            }
        }
    }

    /// Tokens are told once each, in order, and are those of the result; sources of a batch may be empty.
    @Test(arguments: [1, 3]) func eventsAreTheResult(beams: Int) async throws {
        let model = try Self.model(.reference, seed: 13)
        let options = GenerationOptions(start: 1, end: 2, beams: beams)
        let sources = Self.sources + [[]]
        let found = try model.generate(sources, options)
        var told = [[Int]](repeating: [], count: sources.count)
        var results = 0
        for try await event in model.stream(sources, options) {
            switch event {
            case .token(let source, let position, let token):
                #expect(position == told[source].count)
                told[source].append(token)
            case .result(let source, let sequences):
                results += 1
                #expect(sequences.map(\.tokens) == found[source].map(\.tokens))
            }
        }
        #expect(told == found.map { $0[0].tokens })
        #expect(results == sources.count)
        #expect(try model.generate([], options).isEmpty)
    }

    @Test func badOptions() throws {
        let model = try Self.model(.reference, seed: 14)
        func operand(_ source: [Int], _ options: GenerationOptions) -> String? {
            do throws(AttentionError) {
                _ = try model.generate([source], options)
                return nil
            } catch {
                guard case .invalid(let invalid) = error else { return "\(error)" }
                return invalid.operand
            }
        }
        let good = GenerationOptions(start: 1, end: 2)
        #expect(operand([1], good) == nil)
        #expect(operand([9], good) == "source")
        #expect(operand([-1], good) == "source")
        #expect(operand([Int](repeating: 1, count: 13), good) == "source")
        #expect(operand([1], GenerationOptions(start: 11, end: 2)) == "start")
        #expect(operand([1], GenerationOptions(start: 1, end: -1)) == "end")
        #expect(operand([1], GenerationOptions(start: 1, end: 2, beams: 0)) == "beams")
        #expect(operand([1], GenerationOptions(start: 1, end: 2, beams: 64)) == "beams")
        #expect(operand([1], GenerationOptions(start: 1, end: 2, lengthPenalty: .nan)) == "lengthPenalty")
        #expect(operand([1], GenerationOptions(start: 1, end: 2, maximumLength: 0)) == "maximumLength")
        #expect(operand([1], GenerationOptions(start: 1, end: 2, maximumLength: 13)) == "maximumLength")
        #expect(throws: AttentionError.self) { _ = try model.logits(source: [[1]], target: [[1], [1]]) }
        let control = RunControl()
        control.cancel()
        #expect(throws: AttentionError.cancelled) {
            _ = try model.generate([[1]], good, pass: ForwardPass(.reference, control: control))
        }
    }

    private func logSumExp(_ values: [Double]) -> Double {
        let top = values.max() ?? 0
        return top + log(values.reduce(0) { $0 + exp($1 - top) })
    }
}
