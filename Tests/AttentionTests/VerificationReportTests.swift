import Attention
import AttentionCore
import Synchronization
import Testing

/// What a run says and how it is steered: filters, seeds, skips, progress, the reference.
@Suite struct VerificationReportTests {
    @Test func failureComesBackByItsIdAndSeed() throws {
        var options = VerificationOptions(cases: .quick, seed: 9, stopsAtFirstFailure: true)
        options.firstCases = ["pair:"]
        let backend = PlainBackend(.alibiWithoutAbs)
        let first = try #require(try Verifier.run(backend: backend, options).failures.first)
        let again = try Verifier.run(backend: backend, .init(cases: .quick, seed: 9, filter: first.id))
        #expect(again.cases == 1)
        #expect(again.failures.first == first)
        #expect(first.kernel == "plain" && first.device == "plain Float" && first.seed == 9)
    }

    @Test func otherSeedsAreOtherNumbers() throws {
        let text = "probe:repeat"
        let one = try Verifier.run(backend: PlainBackend(), .init(cases: .quick, seed: 1, filter: text))
        let two = try Verifier.run(backend: PlainBackend(), .init(cases: .quick, seed: 2, filter: text))
        #expect(one.passed && two.passed)
        #expect(one.maxima != two.maxima)
    }

    @Test func skipsAreCountedWithTheirReason() throws {
        let report = try Verifier.run(backend: PlainBackend(), .init(cases: .quick, filter: "f64"))
        #expect(report.skipped > 0 && report.failed == 0)
        #expect(report.coverage.skipReasons["float64"] == report.skipped)
        #expect(report.description.contains("skipped \(report.skipped): float64"))
    }

    @Test func nothingRunIsNotPassed() throws {
        let report = try Verifier.run(backend: PlainBackend(), .init(filter: "no such case"))
        #expect(report.cases == 0 && !report.passed)
    }

    @Test func progressCountsToTheEnd() throws {
        var seen: [(Int, Int)] = []
        let report = try Verifier.run(backend: PlainBackend(), .init(filter: "bad:")) { seen.append(($0, $1)) }
        #expect(report.failed == 0, "\(report)")
        #expect(seen.map(\.0) == Array(1...report.cases))
        #expect(seen.allSatisfy { $0.1 == report.cases })
    }

    @Test func referenceRunsEdgesAndBadCallsOnly() throws {
        let report = try Verifier.run(backend: PlainBackend(kind: .reference), .init(cases: .quick))
        #expect(report.passed, "\(report)")
        #expect(Set(report.coverage.counts["group"]?.keys.map { $0 } ?? []) == ["edge", "bad"])
    }

    @Test func brokenDriverFailsEveryCaseAndEndsTheRun() throws {
        let report = try Verifier.run(backend: FailingBackend(), .init(cases: .quick, filter: "edge:"))
        #expect(report.failed == report.cases)
        #expect(report.failures.allSatisfy { $0.gate == "error" && $0.detail.contains("CL_BUILD_PROGRAM_FAILURE") })
    }
}

extension VerificationReportTests {
    @Test func deviceVerifiesItself() throws {
        let good = try Device(backend: PlainBackend()).verify(.init(filter: "edge:scale"))
        #expect(good.passed && good.cases == 12, "\(good)")
        let bad = try Device(backend: PlainBackend(.scaleSignLost)).verify(.init(filter: "edge:scale"))
        #expect(!bad.passed)
    }
}
