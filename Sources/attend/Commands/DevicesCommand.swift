import ArgumentParser
import Attention

struct DevicesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "devices", abstract: "Lists devices, what they report and which is chosen.")
    @OptionGroup var common: CommonOptions
    func run() throws {}
}
