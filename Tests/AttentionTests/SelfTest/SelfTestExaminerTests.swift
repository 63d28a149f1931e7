import AttentionCore
import Foundation
import TestSupport
import Testing

@_spi(Testing) @testable import Attention
@_spi(Testing) @testable import AttentionOpenCL

/// Trials themselves, in this process and in children.
@Suite(.serialized, .enabled(if: TestDevices.wide != nil, "no OpenCL device with vectors"))
struct SelfTestExaminerTests {
    private static let here = SelfTestExaminer(helper: nil, timeLimit: .seconds(60))

    private func problem(_ inputs: AttentionInputs, _ options: AttentionOptions = .init()) throws -> AttentionProblem {
        try AttentionProblem(inputs, options)
    }

    /// Two changes that reviews miss: one for numbers, one for excluded pairs.
    @Test(arguments: [
        ("flash_wide.cl", "flash_wide", 40), ("decode_wide.cl", "decode_wide", 1), ("problem.clh", "flash_wide", 40),
    ])
    func aWrongKernelIsQuarantined(_ file: String, _ kernel: String, _ queries: Int) throws {
        let bench = try SelfTestBench(#require(TestDevices.wide))
        let text = try #require(KernelText.embedded[file])
        let wrong =
            file == "problem.clh"
            ? text.replacingOccurrences(of: "min(high, position + 1) : high", with: "min(high, position) : high")
            : text.replacingOccurrences(of: "LOGIT_UNIT 0x1.71", with: "LOGIT_UNIT 0x1.61")
        try #require(wrong != text)
        let inputs = try smallInputs(queryLength: queries)
        let backend = try bench.backend(Self.here, replacing: [file: wrong])
        let plan: (any BackendPlan)?
        do { plan = try backend.plan(problem(inputs), PlanPolicy()) } catch { plan = nil }
        #expect(plan?.explanation.kernel != kernel)
        let verdict = try #require(bench.verdicts.first { $0.kernel == kernel })
        #expect(verdict.outcome == .failed)
        #expect(verdict.reason.contains("output G"), "\(verdict.reason)")
    }

    @Test func aTextThatDoesNotCompileIsQuarantined() throws {
        let bench = try SelfTestBench(#require(TestDevices.wide))
        let backend = try bench.backend(Self.here, replacing: ["flash_wide.cl": "kernel void flash_wide("])
        let plan = try backend.plan(problem(smallInputs(queryLength: 40)), PlanPolicy())
        #expect(plan.explanation.kernel == "staged")
        #expect(bench.verdicts.contains { $0.kernel == "flash_wide" && $0.outcome == .failed })
    }

    /// Whatever a call needs has been tried by the time its plan is made, on each device.
    @Test func trialsCoverWhatCallsNeed() throws {
        for candidate in TestDevices.all() {
            let bench = try SelfTestBench(candidate)
            var inputs = [
                try smallInputs(queryLength: 1), try smallInputs(queryLength: 2, headDimension: 64),
                try smallInputs(queryLength: 300, keyLength: 310, headDimension: 20, valueDimension: 65),
                try smallInputs(queryHeads: 8, keyValueHeads: 1, queryLength: 1, headDimension: 128),
                try smallInputs(queryHeads: 8, keyValueHeads: 1, queryLength: 17),
            ]
            inputs[1].mask.tensor = try Tensor(zeros: [2, 7], elementType: .bool)
            inputs[4].pastKey = try Tensor(zeros: [2, 1, 3, 8], elementType: .float32)
            inputs[4].pastValue = try Tensor(zeros: [2, 1, 3, 6], elementType: .float32)
            for each in inputs {
                let backend = try bench.backend(Self.here)
                let plan = try backend.plan(problem(each), PlanPolicy())
                let judged = try bench.cache.entries([.verdict]).compactMap(\.key)
                for program in backend.builtPrograms {
                    #expect(
                        judged.contains { $0.flags == program.flags && $0.source == program.source },
                        "\(candidate.description.name), \(plan.explanation.kernel): \(program.flags)")
                }
                #expect(bench.verdicts.filter { !$0.isTrusted }.isEmpty)
            }
        }
    }

    /// What a helper may be.
    enum Helper: String, CaseIterable {
        case segfault = "kill -SEGV $$"
        case illegal = "kill -ILL $$"
        case status = "exit 3"
        case hang = "exec sleep 600"
        case nonsense = "echo '{\"colour\": \"red\"}'"
        case silent = "exit 0"
        case unable = "echo '{\"version\": 1, \"impossible\": \"no such device\"}'"

        /// What is said of the kernel; `nil` where it is tried in this process instead.
        var reason: String? {
            switch self {
            case .segfault: "its process was ended by signal 11"
            case .illegal: "its process was ended by signal 4"
            case .status: "its process ended with status 3"
            case .hang: "no answer within 1.0 seconds"
            case .nonsense, .silent, .unable: nil
            }
        }
    }

    @Test(arguments: Helper.allCases) func helpers(_ helper: Helper) throws {
        let bench = try SelfTestBench(#require(TestDevices.wide))
        let path = bench.folder + "/helper.sh"
        try Script.write(helper.rawValue, if: SelfTestRequest.variable, to: path)
        let limit: Duration = helper == .hang ? .seconds(1) : .seconds(60)
        let backend = try bench.backend(SelfTestExaminer(helper: path, timeLimit: limit))
        let inputs = try smallInputs(queryLength: 40)
        do { _ = try backend.plan(problem(inputs), PlanPolicy()) } catch {
            #expect(helper.reason != nil, "\(error)")
        }
        let verdict = try #require(bench.verdicts.first { $0.kernel == "flash_wide" })
        #expect(verdict.outcome == (helper.reason == nil ? .passed : .crashed))
        #expect(verdict.reason == helper.reason ?? "")
    }

    /// One child tries one kernel after another; what befalls it after the first is not the next one's doing before a fresh one says so.
    @Test(arguments: [
        ("while read -r line; do echo \"$answer\"; done", true), ("read -r line; kill -SEGV $$", false),
        ("exit 0", false),
    ])
    func aChildIsKept(_ afterwards: String, _ serves: Bool) throws {
        let bench = try SelfTestBench(#require(TestDevices.wide))
        let (path, starts) = (bench.folder + "/helper.sh", bench.folder + "/starts.txt")
        try Script.write(
            "echo started >> '\(starts)'; answer='{\"version\": 1, \"passed\": []}'; echo \"$answer\"; \(afterwards)",
            if: SelfTestRequest.variable, to: path)
        let backend = try bench.backend(SelfTestExaminer(helper: path, timeLimit: .seconds(60)))
        for (queries, kernel) in [(40, "flash_wide"), (1, "decode_wide")] {
            let plan = try backend.plan(problem(smallInputs(queryLength: queries)), PlanPolicy())
            #expect(plan.explanation.kernel == kernel, "\(plan.explanation.warnings)")
        }
        let count = try String(contentsOfFile: starts, encoding: .utf8).split(separator: "\n").count
        #expect(serves ? count == 1 : count > 1)
    }

    @Test func aHelperThatIsNotThere() throws {
        let bench = try SelfTestBench(#require(TestDevices.wide))
        let backend = try bench.backend(SelfTestExaminer(helper: "/nonexistent/attend", timeLimit: .seconds(5)))
        #expect(
            try backend.plan(problem(smallInputs(queryLength: 40)), PlanPolicy()).explanation.kernel == "flash_wide")
    }
}
