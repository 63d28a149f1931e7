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

    /// The first device with vectors.
    static var wide: OpenCLCandidate? { all().first { $0.family == "wide" } }

    /// Whether work-items of ``unbarred`` exchange numbers in sub-groups, by either extension.
    static var exchange: Bool {
        unbarred?.limits.contains {
            $0 == ("sub_group_exchange", .text("cl_intel_subgroups cl_khr_subgroup_shuffle"))
        } == true
    }

    /// The first whose work-items run on until they meet a barrier; one with vectors, as others take long to build.
    static var unbarred: OpenCLCandidate? {
        let others = all().filter { $0.description.platform != "Portable Computing Language" }
        return others.first { $0.family == "wide" } ?? others.first
    }
}

@Suite(.serialized) struct VerificationDeviceTests {
    @Test(.enabled(if: !TestDevices.all().isEmpty, "no OpenCL device"))
    func firstDevicePassesQuick() throws {
        // `make verify` goes through all devices and all cases.
        for candidate in TestDevices.all().prefix(1) {
            let clock = ContinuousClock()
            var report: VerificationReport?
            let time = try clock.measure { report = try Verifier.run(backend: try candidate.makeBackend()) }
            print("\(candidate.description.selector) \(time): \(report?.description ?? "")")
            #expect(report?.passed == true, "\(candidate.description.name)")
        }
    }
}

/// Each wrong kernel of ``KernelMutation`` is caught on the first device with vectors, or on another where that one does not show it.
/// `MUTATIONS` in the environment runs those whose name contains it and those of that step of layers, `MUTATIONS_SHARE=I/N` each Nth from the Ith on.
@Suite(.serialized) struct KernelMutationTests {
    private static let selected: [KernelMutation] = {
        let environment = ProcessInfo.processInfo.environment
        let named = KernelMutation.all.filter { mutation in
            environment["MUTATIONS"].map { mutation.name.contains($0) || mutation.step == $0 } ?? true
        }
        let share = environment["MUTATIONS_SHARE"]?.split(separator: "/").compactMap { Int($0) } ?? []
        guard share.count == 2, share[1] > 0 else { return named }
        return named.indices.filter { $0 % share[1] == share[0] }.map { named[$0] }
    }()

    @Test(.enabled(if: TestDevices.wide != nil, "no OpenCL device with vectors"), arguments: selected)
    func wrongKernelIsCaught(_ mutation: KernelMutation) throws {
        if mutation.needsSubGroups, !TestDevices.exchange {
            return print("\(mutation): skipped, no device has such sub-groups")
        }
        guard let candidate = mutation.needsBarriers ? TestDevices.unbarred : TestDevices.wide else {
            return print("\(mutation): skipped, no device shows a missing barrier")
        }
        if mutation.precision == .fast, !candidate.limits.contains(where: { $0 == ("half_products", .flag(true)) }) {
            return print("\(mutation): skipped, the device has no products in half")
        }
        let harness = MutationHarness(
            text: { KernelText.embedded[$0] },
            makeBackend: { try candidate.makeBackend(replacingSources: $0) },
            policy: PlanPolicy(
                kernel: mutation.kernel, family: mutation.family, tiles: mutation.tiles, precision: mutation.precision))
        let verdict = try harness.verdict(mutation)
        print("\(mutation): \(verdict)")
        guard case .caught = verdict else {
            Issue.record("\(mutation) on \(candidate.description.name): \(verdict)")
            return
        }
    }
}
