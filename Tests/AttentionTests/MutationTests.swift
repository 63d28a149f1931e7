import Attention
import AttentionCore
import Testing

/// The harness itself, on a backend whose "kernel text" is the name of its mistake.
@Suite struct MutationHarnessTests {
    private let harness = MutationHarness(
        text: { $0 == "plain.cl" ? "// one mistake\nfault none;\nreturn;" : nil },
        makeBackend: { sources in
            let text = sources["plain.cl"] ?? ""
            if text.contains("syntax error") { return FailingBackend() }
            return PlainBackend(Fault.allCases.first { text.contains("fault \($0.rawValue);") })
        })

    @Test func wrongKernelIsCaught() throws {
        let mutation = KernelMutation(
            name: "causal", file: "plain.cl", find: "none", replace: Fault.causalOneTooMany.rawValue, hints: ["causal"])
        guard case .caught(let failure, let cases) = try harness.verdict(mutation) else {
            Issue.record("not caught")
            return
        }
        #expect(failure.id.contains("causal"))
        #expect(cases < 100, "the hint brought no speed: \(cases)")
    }

    @Test func harmlessChangeSurvives() throws {
        let mutation = KernelMutation(name: "comment", file: "plain.cl", find: "one mistake", replace: "no mistake")
        guard case .survived(let cases) = try harness.verdict(mutation) else {
            Issue.record("caught a right kernel")
            return
        }
        #expect(cases > 500)
    }

    @Test func kernelThatDoesNotBuildIsNotCounted() throws {
        let mutation = KernelMutation(name: "syntax", file: "plain.cl", find: "return", replace: "syntax error")
        guard case .broken = try harness.verdict(mutation) else {
            Issue.record("a mutant that does not build counts as caught")
            return
        }
    }

    @Test func textMustMatchOnce() throws {
        let twice = KernelMutation(name: "twice", file: "plain.cl", find: "n", replace: "m")
        #expect(throws: MutationFailure.self) { try harness.verdict(twice) }
        let never = KernelMutation(name: "never", file: "plain.cl", find: "while", replace: "for")
        #expect(throws: MutationFailure.self) { try harness.verdict(never) }
        let elsewhere = KernelMutation(name: "file", file: "other.cl", find: "none", replace: "all")
        #expect(throws: MutationFailure.self) { try harness.verdict(elsewhere) }
    }
}

/// A device whose driver refuses to build.
struct FailingBackend: Backend {
    let device = DeviceDescription(selector: "failing", name: "failing", platform: "tests", kind: .cpu)

    func plan(_ problem: AttentionProblem, _ policy: PlanPolicy) throws(AttentionError) -> any BackendPlan {
        throw .deviceFailed(device: device.name, detail: "clBuildProgram: CL_BUILD_PROGRAM_FAILURE")
    }

    func makeStorage(byteCount: Int) throws(AttentionError) -> any TensorStorage {
        try HostStorage(byteCount: byteCount)
    }
}
