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

    /// Two drivers, or else the parts of one device; none on a machine that has neither.
    static let pairs: [[Device]] = {
        let drivers = DeviceHereTests.usable.filter { $0.hasPrefix("opencl:") }
        func open(_ selectors: [String]) -> [Device]? {
            let found = selectors.compactMap { try? Device.select(DevicePreference($0)) }
            return found.count == 2 ? found : nil
        }
        let halves = drivers.compactMap { open(["\($0)/0of2", "\($0)/1of2"]) }
        return [open(Array(drivers.prefix(2)))].compactMap { $0 } + halves
    }()

    @Test(arguments: CutAxis.allCases) func driversShareTheEdges(_ axis: CutAxis) throws {
        if Self.pairs.isEmpty { print("SKIPPED: no two drivers and no device that divides") }
        for devices in Self.pairs {
            let group = SharingBackend(devices, rule: .forced(axis))
            let report = try Verifier.run(backend: group, VerificationOptions(cases: .quick, filter: "edge:"))
            print("\(group.device.selector) by \(axis): \(report.cases) cases, \(report.failed) failed")
            #expect(report.passed, "\(group.device.selector) by \(axis): \(report)")
        }
    }

    /// One of two drivers dies in its second share: the other computes it, and the result is right.
    @Test(arguments: CutAxis.allCases) func aDriverHandsItsShareOver(_ axis: CutAxis) throws {
        var pairs = Self.pairs
        pairs.append([try .native(threads: 1), .reference])
        for pair in pairs {
            let group = try Device.sharing(
                [DyingBackend(pair[0].backend, failingRun: 2), pair[1].backend], .forced(axis))
            let inputs = try smallInputs(queryLength: 33, keyLength: 70)
            let right = try Device.reference.attend(inputs).output.floats()
            for call in 1...3 {
                let result = try group.attend(inputs, fallback: .never)
                for (value, expected) in zip(try result.output.floats(), right) {
                    #expect(abs(value - expected) < 1e-5)
                }
                #expect(result.fallbacks.map(\.from) == (call == 1 ? [] : [pair[0].description.name]))
                #expect((result.fallbacks.first?.reason == "\(DyingBackend.error)") == (call == 2))
            }
        }
    }

    /// Cuts between heads, entries and rows leave each row as its device computes it alone.
    @Test(arguments: [CutAxis.heads, .batch, .rows]) func rowsKeepTheirBits(_ axis: CutAxis) throws {
        var alone = DeviceHereTests.wide.compactMap { try? Device.select(DevicePreference($0)) }
        if alone.isEmpty { alone.append(try .native()) }
        for device in alone {
            let group = try Device.sharing([device.backend, device.backend], .forced(axis))
            var inputs = try smallInputs(queryLength: 100, keyLength: 130, headDimension: 24, mask: .causal)
            inputs.sinks = [0.5, 1, -1, 0]
            // Rows of a part may be so few that another kernel is chosen for them.
            let policy = PlanPolicy(kernel: "flash_wide")
            let whole = try device.attend(inputs, .init(logSumExp: true), policy: policy, fallback: .never)
            let parts = try group.attend(inputs, .init(logSumExp: true), policy: policy, fallback: .never)
            for (one, other) in zip(parts.outputs.all, whole.outputs.all) {
                #expect(try one.contiguousBytes() == other.contiguousBytes(), "\(device.description.name) by \(axis)")
            }
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
