import AttentionCore
import Attention
import Foundation
import Testing

/// The engine against a plain kernel that is right, and against every mistake of ``Fault``.
@Suite struct VerificationEngineTests {
    @Test func plainKernelPasses() throws {
        let report = try Verifier.run(backend: PlainBackend(), .init(cases: .quick, seed: 1))
        print(report)
        #expect(report.passed, "\(report)")
    }

    /// No false alarm among thousands of cases and seeds of a kernel that is right. Takes a minute: set `VERIFY_FULL` to run it.
    @Test(.enabled(if: ProcessInfo.processInfo.environment["VERIFY_FULL"] != nil), arguments: [UInt64(1), 2])
    func plainKernelPassesInFull(seed: UInt64) throws {
        let report = try Verifier.run(backend: PlainBackend(), .init(cases: .full, seed: seed))
        print(report)
        #expect(report.passed, "\(report.failed) failed")
    }

    @Test(arguments: Fault.allCases)
    func mistakeIsCaught(_ fault: Fault) throws {
        var options = VerificationOptions(cases: .quick, seed: 1)
        options.stopsAtFirstFailure = true
        let report = try Verifier.run(backend: PlainBackend(fault), options)
        #expect(report.failed > 0, "\(fault) passed \(report.cases) cases")
        if let first = report.failures.first {
            print("\(fault): after \(report.cases) cases, \(first.gate) \(first.id)")
        }
    }
}
