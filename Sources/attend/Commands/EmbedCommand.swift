import ArgumentParser
import Attention
import Transformers

/// `attend embed`: sentence embeddings.
struct EmbedCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "embed", abstract: "Sentence embeddings of a BERT-type model.",
        discussion: """
            DIR is a sentence-transformers folder, or that of a BERT-type model alone, in Hugging Face's form. Vectors have \
            length 1. Texts longer than the model's length are cut, unless --long-text refuse asks for an error. `make model` fetches one.
            """)

    @OptionGroup var model: ModelOptions
    @OptionGroup var texts: TextArguments

    @Option(help: "How the vectors of a text's tokens become one: mean, cls or max; without it, as the folder says.")
    var pooling: PoolingOperation.Kind?

    @Flag(help: "Print the cosines between all pairs of texts.")
    var similarity = false

    @OptionGroup var common: CommonOptions

    func run() throws {
        do { try execute() } catch { throw CommandFailure(error) }
    }

    private func execute() throws {
        let device = try DeviceChoice.forModel(common)
        let encoder = try SentenceEncoder(
            folder: model.folder(), weightType: model.weights?.elementType, device: device)
        let texts = try texts.all()
        if model.longText == .refuse { try refuseLong(texts, encoder) }
        var options = SentenceEncoder.Options()
        options.pooling = pooling
        let pass = ForwardPass(device, fallback: common.fallback.policy)
        let progress = Progress()
        let found = try encoder.embeddings(texts, options, pass: pass) { done in
            progress.update("embedding: \(ProgressBar.text(done, of: texts.count))")
        }
        progress.clear()
        let fallbacks = pass.reportedFallbacks()
        let cosines = similarity ? SentenceEncoder.similarity(found.map(\.vector)) : nil
        if common.json {
            Console.line(json(texts, found, cosines, device, fallbacks).text)
        } else if let cosines {
            show(texts, cosines)
        } else {
            for (text, embedding) in zip(texts, found) {
                let some = embedding.vector.prefix(6).map { Pretty.fixed(Double($0), 4) }.joined(separator: " ")
                Console.line("\(embedding.tokens.count) tokens  [\(some) …]  \(Console.oneLine(text))")
            }
        }
    }

    private func refuseLong(_ texts: [String], _ encoder: SentenceEncoder) throws {
        let longest = encoder.configuration.longestSequence
        for (index, text) in texts.enumerated() where encoder.tokenizer.encode(text, longest: longest).isTruncated {
            throw CommandFailure(
                .badInput, "text \(index + 1): expected at most \(longest) tokens, the model's length, found more")
        }
    }

    private func json(
        _ texts: [String], _ found: [SentenceEncoder.Embedding], _ cosines: [[Double]]?, _ device: Device,
        _ fallbacks: [(from: String, reason: String)]
    ) -> JSON {
        let results = zip(texts, found).map { text, embedding in
            JSON.object([
                ("text", .string(text)), ("token_ids", .array(embedding.tokens.map { .int($0) })),
                ("embedding", .array(embedding.vector.map { .float($0) })),
            ])
        }
        var members: [(String, JSON)] = [
            ("model", .string(model.model)), ("device", .device(device.description)),
            ("fallbacks", .fallbacks(fallbacks)), ("results", .array(results)),
        ]
        if let cosines {
            members.append(("similarity", .array(cosines.map { .array($0.map { .double($0) }) })))
        }
        return .object(members)
    }

    /// A number to each text, and the matrix by these.
    private func show(_ texts: [String], _ cosines: [[Double]]) {
        for (index, text) in texts.enumerated() { Console.line("\(index + 1)  \(Console.oneLine(text))") }
        Console.line()
        let numbers = texts.indices.map { "\($0 + 1)" }
        var table = Table([""] + numbers, rightAligned: Set(1...max(texts.count, 1)))
        for (number, row) in zip(numbers, cosines) { table.add([number] + row.map { Pretty.fixed($0, 3) }) }
        table.printed()
    }
}

extension PoolingOperation.Kind: ExpressibleByArgument {}
