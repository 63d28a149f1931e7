import ArgumentParser
import Attention
import Transformers

/// What every command with a model takes.
struct ModelOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The model's folder. Without --device it runs on a GPU, else natively.", valueName: "dir"))
    var model: String

    @Option(help: "What weights are kept in: f32, f16 or bf16; without it, as the file has them. Arithmetic is f32.")
    var weights: BenchCommand.StorageType?

    @Option(
        help: ArgumentHelp(
            "What becomes of a text with more tokens than the model takes: truncate or refuse.", valueName: "how"))
    var longText: LongText = .truncate

    enum LongText: String, ExpressibleByArgument, CaseIterable { case truncate, refuse }

    func folder() throws -> ModelFolder { try ModelFolder(path: model) }
}

/// The texts of a command: its arguments, or the lines of standard input.
struct TextArguments: ParsableArguments {
    @Argument(help: "The texts; without any, the lines of standard input.")
    var text: [String] = []

    func all() throws -> [String] {
        if !text.isEmpty { return text }
        var lines: [String] = []
        while let line = readLine() { lines.append(line) }
        return lines
    }
}

extension ForwardPass {
    /// Says which devices were given up in the work, a line each.
    func reportedFallbacks() -> [(from: String, reason: String)] {
        let all = fallbacks.map { (from: $0.from, reason: $0.reason) }
        all.forEach { Console.note("fallback: \($0.from): \($0.reason)") }
        return all
    }
}
