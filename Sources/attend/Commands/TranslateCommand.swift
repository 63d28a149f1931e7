import ArgumentParser
import Attention
import Transformers

/// `attend translate`: text through an encoder-decoder.
struct TranslateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "translate", abstract: "Text through an encoder-decoder model.",
        discussion: """
            DIR holds config.json, model.safetensors (or shards with an index), source_tokens.json and target_tokens.json. The \
            score is Σ log p / length^A, the end token counted in both. With one beam the likeliest token is taken each time. \
            The output of a single text is shown as it comes.
            """)

    @OptionGroup var model: ModelOptions
    @OptionGroup var texts: TextArguments

    @Option(help: ArgumentHelp("How many hypotheses to follow.", valueName: "n"))
    var beam = 1

    @Option(help: ArgumentHelp("The exponent of the length in the score.", valueName: "a"))
    var lengthPenalty = 0.0

    @Option(
        help: ArgumentHelp(
            "The most tokens of an output, its end counted; never more than the model's positions.", valueName: "n"))
    var maxLength: Int?

    @OptionGroup var common: CommonOptions

    func validate() throws {
        if beam < 1 || beam > 63 { throw ValidationError("--beam: expected 1 to 63, found \(beam)") }
        if !lengthPenalty.isFinite {
            throw ValidationError("--length-penalty: expected a finite number, found \(lengthPenalty)")
        }
        if let maxLength, maxLength < 1 {
            throw ValidationError("--max-length: expected 1 or more, found \(maxLength)")
        }
    }

    func run() throws {
        do { try execute() } catch { throw CommandFailure(error) }
    }

    private func execute() throws {
        let device = try DeviceChoice.forModel(common)
        let translator = try EncoderDecoderModel(
            folder: model.folder(), weightType: model.weights?.elementType, device: device)
        let longest = min(maxLength ?? .max, translator.configuration.maximumPositions)
        let texts = try texts.all()
        let options = EncoderDecoderModel.Options(
            beams: beam, lengthPenalty: lengthPenalty, maximumLength: longest,
            longSource: model.longText == .truncate ? .truncate : .refuse)
        let pass = ForwardPass(device, fallback: common.fallback.policy)
        let progress = Progress()
        let streams = !common.json && texts.count == 1
        let gap = translator.configuration.tokenizer == .words ? " " : ""
        var tokens = 0
        let found = try translator.translate(texts, options, pass: pass) { event in
            guard case .token(_, let position, let token) = event else { return }
            tokens += 1
            if streams {
                Console.piece((position > 0 ? gap : "") + translator.targetTokenizer.decode([token]))
            } else {
                progress.update("translating: \(tokens) tokens")
            }
        }
        progress.clear()
        if streams { Console.line() }
        let fallbacks = pass.reportedFallbacks()
        if common.json {
            Console.line(json(found, device, fallbacks).text)
        } else if !streams {
            for translation in found { Console.line(Console.oneLine(translation.output)) }
        }
    }

    private func json(
        _ found: [EncoderDecoderModel.Translation], _ device: Device, _ fallbacks: [(from: String, reason: String)]
    ) -> JSON {
        let results = found.map { translation in
            JSON.object([
                ("source", .string(translation.source)), ("output", .string(translation.output)),
                ("token_ids", .array(translation.tokens.map { .int($0) })), ("score", .double(translation.score)),
                ("source_token_ids", .array(translation.sourceTokens.map { .int($0) })),
                ("ended", .bool(translation.isEnded)),
            ])
        }
        return .object([
            ("model", .string(model.model)), ("device", .device(device.description)),
            ("fallbacks", .fallbacks(fallbacks)), ("results", .array(results)),
        ])
    }
}
