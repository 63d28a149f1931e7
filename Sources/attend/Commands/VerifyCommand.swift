import ArgumentParser
import Attention

/// `attend verify`: the whole contract on the user's own driver.
struct VerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Runs every edge, option and type against the reference.",
        discussion: """
            Every number follows from the seed. A failure prints the id and the seed of its case: give them to --filter \
            and --seed to run it again alone. Exit status 1 if a case fails or none could run.
            """)

    @Option(help: "quick (some hundreds of cases) or full (some thousands).")
    var cases = CaseSet.quick

    @Option(help: ArgumentHelp("What all numbers follow from.", valueName: "n"))
    var seed: UInt64 = 1

    @Option(help: ArgumentHelp("Run the cases whose id contains this text only.", valueName: "text"))
    var filter: String?

    @Flag(help: "Print the ids of the cases, a line each, and run none.")
    var list = false

    @OptionGroup var kernels: KernelOptions
    @OptionGroup var common: CommonOptions

    enum CaseSet: String, ExpressibleByArgument, CaseIterable { case quick, full }

    func run() throws {
        do { try execute() } catch { throw CommandFailure(error) }
    }

    private func execute() throws {
        // A test of its own: what is quarantined has to be run all the same.
        SelfTest.mode = .off
        let options = VerificationOptions(
            cases: cases == .quick ? .quick : .full, seed: seed, filter: filter, policy: kernels.policy)
        if list { return try printIDs(options) }
        var reports: [(device: DeviceDescription, report: VerificationReport)] = []
        for device in try DeviceChoice.several(common) {
            let progress = Progress()
            let report = try device.verify(options) { done, total in
                progress.update("\(device.description.selector): \(done) of \(total) cases")
            }
            progress.clear()
            reports.append((device.description, report))
            if !common.json { Console.line(report.description) }
        }
        if common.json { Console.line(json(reports).text) }
        let all = reports.map(\.report)
        if all.contains(where: { $0.failed > 0 }) { throw CommandFailure.checkFailed }
        if all.allSatisfy({ $0.cases == $0.skipped }) {
            // Nothing else stands in for what was asked for by name.
            let reasons = all.flatMap { $0.coverage.skipReasons.keys }.filter { $0.hasPrefix("precision ") }
            if let reason = reasons.min() { throw CommandFailure(.unavailable, reason) }
            throw CommandFailure(
                .checkFailed, filter.map { "--filter: no case that can run contains '\($0)'" } ?? "no case could run")
        }
    }

    private func printIDs(_ options: VerificationOptions) throws {
        let ids = try DeviceChoice.several(common).flatMap { Verifier.ids(backend: $0.backend, options) }
        if common.json {
            Console.line(JSON.object([("ids", .array(ids.map { .string($0) }))]).text)
        } else {
            for id in ids { Console.line(id) }
        }
    }

    private func json(_ reports: [(device: DeviceDescription, report: VerificationReport)]) -> JSON {
        let all = reports.map(\.report)
        return .object([
            ("cases", .int(all.reduce(0) { $0 + $1.cases })), ("failed", .int(all.reduce(0) { $0 + $1.failed })),
            ("skipped", .int(all.reduce(0) { $0 + $1.skipped })), ("seed", .unsigned(seed)),
            ("coverage", .object(reports.map { ($0.device.selector, Self.coverage($0.report.coverage)) })),
            (
                "failures",
                .array(
                    all.flatMap(\.failures).map { failure in
                        .object([
                            ("id", .string(failure.id)), ("seed", .unsigned(failure.seed)),
                            ("device", .string(failure.device)), ("kernel", .string(failure.kernel)),
                            ("tensor", .string(failure.tensor)), ("gate", .string(failure.gate)),
                            ("ratio", .ratio(failure.ratio)), ("detail", .string(failure.detail)),
                        ])
                    })
            ),
        ])
    }

    private static func coverage(_ coverage: VerificationCoverage) -> JSON {
        func object<Value>(_ values: [String: Value], _ make: (Value) -> JSON) -> JSON {
            .object(values.sorted { $0.key < $1.key }.map { ($0.key, make($0.value)) })
        }
        return .object([
            ("pairs_covered", .int(coverage.pairsCovered)), ("pairs_possible", .int(coverage.pairsPossible)),
            ("missing_pairs", .array(coverage.missingPairs.map { .string($0) })),
            ("options", object(coverage.counts) { object($0) { .int($0) } }),
            ("skip_reasons", object(coverage.skipReasons) { .int($0) }),
        ])
    }
}
