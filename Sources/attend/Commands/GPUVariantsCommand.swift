import ArgumentParser
import Attention

/// `attend gpu-variants`: what `make gpu-check` compiles. Not for users, and not in the help.
struct GPUVariantsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gpu-variants", abstract: "Lists the kernels that a GPU may get, as JSON.", shouldDisplay: false)

    func run() throws {
        let variants = GPUVariant.all.map { variant in
            JSON.object([
                ("kernel", .string(variant.kernel)), ("purpose", .string(variant.purpose)),
                ("group", .int(variant.group)), ("local_bytes", .int(variant.localBytes)),
                ("definitions", .array(variant.definitions.map { .string($0) })),
            ])
        }
        Console.line(JSON.object([("variants", .array(variants))]).text)
    }
}
