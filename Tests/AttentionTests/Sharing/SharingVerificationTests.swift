import AttentionCore
import AttentionNative
import Testing

@testable import Attention

/// The whole contract on groups.
@Suite struct SharingVerificationTests {
    /// Two native devices, by ranges of keys: what rounds otherwise than one device does.
    @Test func rangesOfKeysPassQuick() throws {
        let group = try Device.sharing(
            [NativeBackend(threads: 1), NativeBackend(threads: 1)], .forced(.keys))
        let report = try Verifier.run(backend: group.backend, VerificationOptions(cases: .quick))
        print("\(report)")
        #expect(report.passed)
    }

    /// Pieces by a limit that most cases pass, and ranges of keys among them.
    @Test func piecesPassQuick() throws {
        let narrow = NarrowBackend(try NativeBackend(threads: 1), allocation: 4096)
        let options = VerificationOptions(cases: .quick, filter: "pair:b1")
        let report = try Verifier.run(backend: ContractBackend(FittingBackend(narrow)), options)
        print("\(report)")
        #expect(report.passed)
    }

    static let drivers = DeviceHereTests.usable.filter { $0.hasPrefix("opencl:") }

    /// Two drivers at once, and two halves of one device.
    @Test(arguments: CutAxis.allCases) func driversShareTheEdges(_ axis: CutAxis) throws {
        var groups: [[Device]] = []
        let open = Self.drivers.prefix(2).compactMap { try? Device.select(DevicePreference($0)) }
        if open.count == 2 { groups.append(open) }
        for selector in Self.drivers {
            let halves = (0..<2).compactMap { try? Device.select(DevicePreference("\(selector)/\($0)of2")) }
            if halves.count == 2 { groups.append(halves) }
        }
        if groups.isEmpty { print("SKIPPED: no two drivers and no device that divides") }
        for devices in groups {
            let group = SharingBackend(devices, rule: .forced(axis))
            let report = try Verifier.run(backend: group, VerificationOptions(cases: .quick, filter: "edge"))
            print("\(group.device.selector) by \(axis): \(report.cases) cases, \(report.failed) failed")
            #expect(report.passed, "\(group.device.selector) by \(axis): \(report)")
        }
    }
}

/// A backend whose bits are its pieces' own, as those of a group are.
private struct ContractBackend: Backend {
    let inner: FittingBackend

    init(_ inner: FittingBackend) { self.inner = inner }

    var device: DeviceDescription { .fake("pieces", "pieces", .group) }

    func plan(_ problem: AttentionProblem, _ policy: PlanPolicy) throws(AttentionError) -> any BackendPlan {
        ContractPlan(inner: try inner.plan(problem, policy))
    }

    func makeStorage(byteCount: Int) throws(AttentionError) -> any TensorStorage {
        try HostStorage(byteCount: byteCount)
    }
}

private struct ContractPlan: BackendPlan {
    let inner: any BackendPlan

    var explanation: PlanExplanation { inner.explanation }

    func run(
        _ problem: AttentionProblem, _ inputs: AttentionInputs, _ outputs: AttentionOutputs, _ control: RunControl
    ) throws(AttentionError) -> RunReport {
        do throws(AttentionError) { return try inner.run(problem, inputs, outputs, control) } catch {
            // Scores are about all keys: such a case is too large for so little memory, and no failure.
            guard case .outOfMemory = error, problem.scores != nil else { throw error }
            throw .unsupported(device: "pieces", reason: "scores of so many keys")
        }
    }
}
