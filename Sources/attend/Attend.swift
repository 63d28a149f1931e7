import ArgumentParser
import Attention
import Foundation

/// `attend`: the command line of the package.
@main
struct Attend: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "attend",
        abstract: "Attention on any OpenCL device, checked against a reference in Double.",
        discussion: """
            Exit status: 0 done; 1 a check failed; 64 wrong usage; 65 a bad input file or shapes that do not fit; \
            69 the device or kernel asked for is not there; 70 a bug of this program.
            """,
        version: "0.1.0",
        subcommands: [
            DevicesCommand.self, RunCommand.self, ConformCommand.self, VerifyCommand.self, BenchCommand.self,
            TuneCommand.self, CacheCommand.self, LayerCommand.self, EmbedCommand.self, TranslateCommand.self,
            ExplainCommand.self, GPUVariantsCommand.self,
        ])

    /// Runs the command and ends the process with its exit status. An error is one line on standard error.
    static func main() {
        // PoCL reads it when it is loaded. Without, both of its threads may sit on one core for many calls: half the calls of
        // 1,12,12,128,128,64 took 0.4 ms instead of 0.2.
        setenv("POCL_AFFINITY", "1", 0)
        SelfTest.runAsHelperIfAsked()
        do {
            var command = try parseAsRoot()
            try command.run()
        } catch let failure as CommandFailure {
            failure.end()
        } catch {
            // Help and version come as errors too.
            guard exitCode(for: error) != .success else { exit(withError: error) }
            // Whatever is no usage error was turned into a CommandFailure by the command.
            CommandFailure(.usage, message(for: error)).end()
        }
        ExitStatus.done.end()
    }
}
