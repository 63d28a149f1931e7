import TestSupport
import Testing

/// Suites that need a process for themselves: they measure its memory, fork it, are the first to use its drivers, or make them
/// fail thousands of times.
@Suite(.serialized) struct OwnProcessTests {
    @Test(
        .timeLimit(.minutes(10)),
        arguments: ["FaultSweepTests", "FaultOpeningTests", "FaultLeakTests", "FirstCallsTests", "ForkTests"]
            .map { "AttentionTests." + $0 } + ["WorkersTests.ForkTests"])
    func suite(_ name: String) throws {
        if OwnProcess.isChild { return }
        let (status, output) = try OwnProcess.run(name)
        for line in output.split(separator: "\n") where line.hasPrefix("»") { print(line) }
        // Under a sanitizer, a process that dies of an error can have status 0.
        let isComplete = output.contains("Test run with") && !output.contains("ERROR: AddressSanitizer")
        #expect(status == 0 && isComplete, "\(name):\n\(output.suffix(6000))")
    }
}
