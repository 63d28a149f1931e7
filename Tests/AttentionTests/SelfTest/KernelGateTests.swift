import AttentionCore
import Foundation
import OpenCLRuntime
import Testing

@_spi(Testing) @testable import Attention
@_spi(Testing) @testable import AttentionOpenCL

/// What becomes of verdicts.
@Suite(.serialized, .enabled(if: TestDevices.wide != nil, "no OpenCL device with vectors"))
struct KernelGateTests {
    private func bench() throws -> SelfTestBench { try SelfTestBench(#require(TestDevices.wide)) }

    private func problem(_ queries: Int = 40) throws -> AttentionProblem {
        try AttentionProblem(smallInputs(queryLength: queries), AttentionOptions())
    }

    @Test func aVerdictIsKeptForLaterProcesses() throws {
        let bench = try bench()
        let here = ScriptedExaminer { SelfTestExaminer(helper: nil, timeLimit: .seconds(1)).examine($0) }
        let first = try bench.backend(here).plan(problem(), PlanPolicy())
        #expect(first.explanation.kernel == "flash_wide")
        #expect(here.kernels == ["flash_wide"])
        #expect(bench.verdicts.map(\.outcome) == [.passed])
        let later = ScriptedExaminer { trial in
            trial.policy.kernel == "decode_wide" ? .failed("wrong") : .passed(trial.backend.allPrograms(trial))
        }
        #expect(try bench.backend(later).plan(problem(), PlanPolicy()).explanation.kernel == "flash_wide")
        #expect(later.kernels.isEmpty)
        // Another program is another matter.
        let other = try bench.backend(later).plan(problem(1), PlanPolicy())
        #expect(later.kernels.first == "decode_wide")
        #expect(other.explanation.kernel == "flash_wide")
    }

    @Test func anotherTextIsTestedAnew() throws {
        let bench = try bench()
        let passing = ScriptedExaminer { .passed($0.backend.allPrograms($0)) }
        _ = try bench.backend(passing).plan(problem(), PlanPolicy())
        _ = try bench.backend(passing).plan(problem(), PlanPolicy())
        #expect(passing.kernels == ["flash_wide"])
        let text = try #require(KernelText.embedded["flash_wide.cl"]) + "\n"
        _ = try bench.backend(passing, replacing: ["flash_wide.cl": text]).plan(problem(), PlanPolicy())
        #expect(passing.kernels == ["flash_wide", "flash_wide"])
    }

    @Test func theNextKernelTakesOver() throws {
        let bench = try bench()
        let examiner = ScriptedExaminer { trial in
            trial.policy.kernel == "staged" ? .passed(trial.backend.allPrograms(trial)) : .crashed("signal 11")
        }
        let backend = try bench.backend(examiner)
        let plan = try backend.plan(problem(1), PlanPolicy())
        #expect(plan.explanation.kernel == "staged")
        #expect(examiner.kernels.prefix(3) == ["decode_wide", "flash_wide", "staged"])
        for kernel in ["decode_wide", "flash_wide"] {
            #expect(
                plan.explanation.warnings.contains(
                    "\(kernel): quarantined, as its self-test crashed: signal 11"), "\(plan.explanation.warnings)")
        }
        #expect(throws: AttentionError.self) { try backend.plan(problem(1), PlanPolicy(kernel: "flash_wide")) }
        // What is trusted without a gate is not asked about.
        let free = try bench.candidate.makeBackend(replacingSources: [:], cache: bench.cache)
        #expect(try free.plan(problem(1), PlanPolicy()).explanation.kernel == "decode_wide")
    }

    @Test func withoutAnyKernelTheDeviceIsGivenUp() throws {
        let bench = try bench()
        let backend = try bench.backend(ScriptedExaminer { _ in .failed("wrong") })
        #expect {
            try backend.plan(problem(), PlanPolicy())
        } throws: { error in
            guard case AttentionError.unsupported(_, let reason) = error else { return false }
            return reason == "staged: quarantined, as its self-test failed: wrong"
        }
        let device = Device(backend: backend)
        let result = try device.attend(smallInputs(queryLength: 40))
        #expect(result.device.selector != backend.device.selector)
        #expect(result.fallbacks.count == 1)
    }

    /// A process that ends during a test is no proof the first time: somebody may have ended it.
    @Test(arguments: [(1, false), (2, true)]) func marksOfTheDead(_ attempts: Int, _ isQuarantined: Bool) throws {
        let bench = try bench()
        let gone = try Self.endedProcess()
        let marking = ScriptedExaminer { trial in
            trial.willRunHere()
            return .impossible("the process ends here")
        }
        for _ in 0..<attempts {
            _ = try bench.backend(marking).plan(problem(), PlanPolicy())
            try Self.mark(bench, process: gone)
        }
        #expect(bench.verdicts.map(\.outcome) == [.started])
        let examiner = ScriptedExaminer { .passed($0.backend.allPrograms($0)) }
        let kernel = try bench.backend(examiner).plan(problem(), PlanPolicy()).explanation.kernel
        #expect(kernel == (isQuarantined ? "staged" : "flash_wide"))
        #expect(examiner.kernels.contains("flash_wide") == !isQuarantined)
        let verdict = try #require(bench.verdicts.first { $0.kernel == "flash_wide" })
        #expect(verdict.outcome == (isQuarantined ? .crashed : .passed))
    }

    @Test func aMarkOfTheLivingIsNone() throws {
        let bench = try bench()
        let marking = ScriptedExaminer { trial in
            trial.willRunHere()
            return .impossible("still at it")
        }
        // The process of the mark is this one.
        for _ in 0..<4 { _ = try bench.backend(marking).plan(problem(), PlanPolicy()) }
        #expect(marking.kernels.count == 4)
        let examiner = ScriptedExaminer { .passed($0.backend.allPrograms($0)) }
        #expect(try bench.backend(examiner).plan(problem(), PlanPolicy()).explanation.kernel == "flash_wide")
    }

    @Test(arguments: ["nothing", "damaged", "truncated", "writable"])
    func filesThatAreNotToBeTrusted(_ damage: String) throws {
        let bench = try bench()
        let examiner = ScriptedExaminer { .passed($0.backend.allPrograms($0)) }
        _ = try bench.backend(examiner).plan(problem(), PlanPolicy())
        let file = try #require(try bench.files(".verdict").first)
        var bytes = try Data(contentsOf: URL(fileURLWithPath: file))
        switch damage {
        case "damaged": bytes[bytes.count - 40] ^= 1
        case "truncated": bytes = bytes.dropLast(3)
        default: break
        }
        try bytes.write(to: URL(fileURLWithPath: file))
        chmod(file, damage == "writable" ? 0o622 : 0o600)
        _ = try bench.backend(examiner).plan(problem(), PlanPolicy())
        #expect(examiner.kernels.count == (damage == "nothing" ? 1 : 2))
    }

    @Test func withoutADiskTheProcessRemembers() throws {
        let candidate = try #require(TestDevices.wide)
        let examiner = ScriptedExaminer { .passed($0.backend.allPrograms($0)) }
        VerdictKeeper.forget()
        for _ in 0..<2 {
            let backend = try candidate.makeBackend(
                replacingSources: [:], cache: ProgramCache(folder: nil), examiner: examiner)
            _ = try backend.plan(problem(), PlanPolicy())
        }
        #expect(examiner.kernels == ["flash_wide"])
        VerdictKeeper.forget()
    }

    // MARK: Marks

    private static func endedProcess() throws -> Int32 {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/true")
        try process.run()
        process.waitUntilExit()
        return process.processIdentifier
    }

    /// Gives the mark on disk to another process.
    private static func mark(_ bench: SelfTestBench, process: Int32) throws {
        for entry in try bench.cache.entries([.verdict]) {
            let key = try #require(entry.key)
            let text = String(decoding: try bench.cache.record(.verdict, key), as: UTF8.self)
            let changed = text.replacingOccurrences(of: "\"process\":\(getpid())", with: "\"process\":\(process)")
            try bench.cache.keep(Array(changed.utf8), .verdict, key)
        }
    }
}

extension OpenCLBackend {
    /// As if all programs that a plan for the trial's call takes had been tried.
    func allPrograms(_ trial: KernelTrial) -> [KernelTrial.Program] {
        if case .attention(let problem) = trial.use { _ = try? plan(problem, trial.policy) }
        return builtPrograms
    }
}
