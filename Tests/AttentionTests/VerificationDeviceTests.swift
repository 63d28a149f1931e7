import Attention
import Foundation
import Testing

@_spi(Testing) import AttentionOpenCL

/// OpenCL devices of this machine, for tests that need a driver.
enum TestDevices {
    /// Every usable device.
    static func all() -> [OpenCLCandidate] {
        guard let count = try? OpenCLDiscovery.platformCount() else { return [] }
        return (0..<count).flatMap { (try? OpenCLDiscovery.candidates(platform: $0)) ?? [] }
            .filter { $0.unsuitableReason == nil }
    }
}

@Suite(.serialized) struct VerificationDeviceTests {
    @Test(.enabled(if: !TestDevices.all().isEmpty, "no OpenCL device"))
    func everyDevicePassesQuick() throws {
        for candidate in TestDevices.all() {
            let clock = ContinuousClock()
            var report: VerificationReport?
            let time = try clock.measure { report = try Verifier.run(backend: try candidate.makeBackend()) }
            print("\(candidate.description.selector) \(time): \(report?.description ?? "")")
            #expect(report?.passed == true, "\(candidate.description.name)")
        }
    }
}

/// Each wrong kernel of ``KernelMutation`` is caught on the first device there is. `MUTATIONS` in the environment runs those whose
/// name contains it.
@Suite(.serialized) struct KernelMutationTests {
    static let selected = KernelMutation.all.filter { mutation in
        ProcessInfo.processInfo.environment["MUTATIONS"].map { mutation.name.contains($0) } ?? true
    }

    @Test(.enabled(if: !TestDevices.all().isEmpty, "no OpenCL device"), arguments: selected)
    func wrongKernelIsCaught(_ mutation: KernelMutation) throws {
        let candidate = try #require(TestDevices.all().first)
        let harness = MutationHarness(
            text: { KernelText.embedded[$0] },
            makeBackend: { try candidate.makeBackend(replacingSources: $0) })
        let verdict = try harness.verdict(mutation)
        print("\(mutation): \(verdict)")
        guard case .caught = verdict else {
            Issue.record("\(mutation) on \(candidate.description.name): \(verdict)")
            return
        }
    }
}
