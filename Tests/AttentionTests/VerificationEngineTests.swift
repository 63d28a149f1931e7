import AttentionCore
import Attention
import Testing

/// The engine against a plain kernel that is right, and against every mistake of ``Fault``.
@Suite struct VerificationEngineTests {
    @Test func plainKernelPasses() throws {
        let report = try Verifier.run(backend: PlainBackend(), .init(cases: .quick, seed: 1))
        print(report)
        #expect(report.passed, "\(report)")
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
