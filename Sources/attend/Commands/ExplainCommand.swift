import ArgumentParser
import Attention
import TensorFiles
import Transformers

/// `attend explain`: who attends to whom, as a picture.
struct ExplainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain", abstract: "Who attends to whom, as a picture.",
        discussion: """
            DIR is the folder of a BERT-type model, or of an encoder-decoder, whose own translation of TEXT is shown then. FILE ends in \
            .svg (every layer and head) or .html (one at a time, with pickers); neither needs anything from elsewhere. FILE is \
            written whole or not at all.
            """)

    @OptionGroup var model: ModelOptions

    @Argument(help: "The text.")
    var text: String

    @Option(name: [.short, .long], help: ArgumentHelp("The picture to write: .svg or .html.", valueName: "file"))
    var output: String

    @OptionGroup var common: CommonOptions

    func validate() throws {
        if !output.hasSuffix(".svg") && !output.hasSuffix(".html") {
            throw ValidationError("--output: expected a name that ends in .svg or .html, found '\(output)'")
        }
    }

    func run() throws {
        do { try execute() } catch { throw CommandFailure(error) }
    }

    private func execute() throws {
        let device = try DeviceChoice.forModel(common)
        let pass = ForwardPass(device, keepsAttention: true, fallback: common.fallback.policy)
        let sections = try sections(pass)
        let picture = AttentionPicture(sections)
        let markup = output.hasSuffix(".svg") ? picture.svg(title: text) : picture.html(title: text)
        try AtomicFile.write(Array(markup.utf8), to: output)
        let fallbacks = pass.reportedFallbacks()
        let layers = sections.map(\.layers.count).max() ?? 0
        let heads = sections.flatMap(\.layers).map(\.count).max() ?? 0
        if common.json {
            Console.line(
                JSON.object([
                    ("layers", .int(layers)), ("heads", .int(heads)),
                    ("tokens", .array((sections.first?.queries ?? []).map { .string($0) })),
                    (
                        "sections",
                        .array(
                            sections.map { section in
                                .object([
                                    ("name", .string(section.name)), ("layers", .int(section.layers.count)),
                                    ("queries", .array(section.queries.map { .string($0) })),
                                    ("keys", .array(section.keys.map { .string($0) })),
                                ])
                            })
                    ), ("bytes", .int(markup.utf8.count)), ("device", .device(device.description)),
                    ("fallbacks", .fallbacks(fallbacks)),
                ]).text)
        } else {
            Console.line(
                "\(Console.oneLine(output)): \(layers) layers, \(heads) heads, \(Pretty.bytes(markup.utf8.count))")
        }
    }

    private func sections(_ pass: ForwardPass) throws -> [AttentionPicture.Section] {
        let device = pass.device
        let folder = try model.folder()
        let weights = model.weights?.elementType
        // Whoever has tokens of a target is an encoder-decoder.
        guard try folder.existingFile("target_tokens.json") != nil else {
            let encoder = try SentenceEncoder(folder: folder, weightType: weights, device: device)
            let longest = encoder.configuration.longestSequence
            let (ids, isCut) = encoder.tokenizer.encode(text, longest: longest)
            try refuse(isCut, longest)
            let tokens = ids.map { encoder.tokenizer.token($0) ?? "#\($0)" }
            return try AttentionPicture.sections(
                try encoder.model.attention(ids, pass: pass), source: tokens, target: [])
        }
        let model = try EncoderDecoderModel(folder: folder, weightType: weights, device: device)
        let longSource: EncoderDecoderModel.LongSource = self.model.longText == .truncate ? .truncate : .refuse
        let translation = try model.translate(
            [text], .init(longSource: longSource), pass: ForwardPass(device, fallback: pass.fallback))[0]
        // The last token is attended by nobody.
        let read = Array(translation.tokens.prefix(model.configuration.maximumPositions - 1))
        let maps = try model.attention(source: translation.sourceTokens, target: read, pass: pass)
        func names(_ ids: [Int], _ tokenizer: any Tokenizer) -> [String] { ids.map { tokenizer.token($0) ?? "#\($0)" } }
        let start = model.configuration.target.start.map { [$0] } ?? []
        return try AttentionPicture.sections(
            maps, source: names(translation.sourceTokens, model.sourceTokenizer),
            target: names(start + read, model.targetTokenizer))
    }

    private func refuse(_ isCut: Bool, _ longest: Int) throws {
        guard isCut, model.longText == .refuse else { return }
        throw CommandFailure(.badInput, "TEXT: expected at most \(longest) tokens, the model's length, found more")
    }
}
