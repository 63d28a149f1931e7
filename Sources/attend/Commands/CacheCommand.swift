import ArgumentParser
import Attention

struct CacheCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "cache", abstract: "Shows or clears what is cached.")
    @OptionGroup var common: CommonOptions
    func run() throws {}
}
