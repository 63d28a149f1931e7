import AttentionCore
import AttentionReference
import Foundation
import Testing

@_spi(Testing) @testable import Attention
@_spi(Testing) @testable import AttentionOpenCL

/// Kernels of layers before their first use: trials, verdicts, and who takes over.
@Suite(.serialized, .enabled(if: TestDevices.wide != nil, "no OpenCL device with vectors"))
struct LayerGateTests {
    private static var here: SelfTestExaminer { SelfTestExaminer(helper: nil, timeLimit: .seconds(60)) }

    private func bench() throws -> SelfTestBench { try SelfTestBench(#require(TestDevices.wide)) }

    /// One step of each kind, and what it is held to.
    private static let makers: [(name: String, maker: any LayerCaseMaker)] = [
        ("linear", LayerCase.Linear(rows: 9, inputs: 5, outputs: 7, type: .float16, hasBias: true)),
        ("linear", LayerCase.Linear(rows: 2, inputs: 5, outputs: 7)),
        ("layer_norm", LayerCase.Normalization(rows: 3, columns: 9, hasResidual: true, hasSum: true)),
        ("embedding", LayerCase.Embedding(rows: 3, columns: 9, types: [.float32, .bfloat16])),
        ("additive", LayerCase.Additive(queries: 2, keys: 5, width: 4, columns: 3, hasProbabilities: true)),
        ("additive", LayerCase.Additive(queries: 1, keys: 5, width: 4, columns: 3)),
        ("rotary", LayerCase.Rotary(length: 3, pairs: 5, rest: 1)),
        ("select", LayerCase.Selection(rows: 2, columns: 20, count: 3)),
        ("pool", LayerCase.Pooling(kind: .mean, counts: [2, 0, 3], columns: 9)),
        ("copy", LayerCase.Copy(shape: [2, 1, 3, 5], type: .bool)),
        ("copy", LayerCase.Copy(shape: [2, 1, 3, 5], type: .float64)),
    ]

    private static func expectRight(_ maker: any LayerCaseMaker, on backend: any Backend, _ name: String) {
        let outcome = LayerCase(id: name, maker: maker).run(backend, seed: 5)
        #expect(outcome.findings.isEmpty && outcome.skipReason == nil, "\(name): \(outcome)")
    }

    private static func normalization(inPlace: Bool) throws -> (operation: LayerOperation, due: [LayerResult]) {
        let plain = ReferenceBackend()
        var tensors = LayerTensors(plain, isOnDevice: false, random: SeededGenerator(seed: 3, id: "layer gate"))
        var step = LayerCase.Normalization(rows: 3, columns: 9, hasResidual: true, hasSum: true)
        step.isInPlace = inPlace
        let operation = try step.make(&tensors)
        return (operation, try LayerReference.evaluate(operation))
    }

    /// Whatever a step runs has been tried before, by both families.
    @Test(arguments: [nil, "tiled"]) func trialsCoverWhatStepsNeed(_ family: String?) throws {
        // One that compiles work-groups quickly, if there is one.
        let quick = family == nil ? nil : TestDevices.unbarred
        let bench = try SelfTestBench(#require(quick ?? TestDevices.wide))
        let backend = try bench.backend(Self.here)
        try backend.useLayers(ofFamily: family)
        for (name, maker) in Self.makers { Self.expectRight(maker, on: backend, name) }
        let judged = try bench.cache.entries([.verdict]).compactMap(\.key)
        #expect(!backend.builtPrograms.isEmpty)
        for program in backend.builtPrograms {
            #expect(
                judged.contains { $0.flags == program.flags && $0.source == program.source },
                "\(bench.candidate.description.name): \(program.flags)")
        }
        #expect(bench.verdicts.filter { !$0.isTrusted }.isEmpty, "\(bench.verdicts)")
        // A later process asks nobody.
        let silent = ScriptedExaminer { _ in .failed("asked again") }
        let later = try bench.backend(silent)
        try later.useLayers(ofFamily: family)
        for (name, maker) in Self.makers { Self.expectRight(maker, on: later, name) }
        #expect(silent.kernels.isEmpty)
    }

    /// One change to each kernel that a review could miss.
    @Test(arguments: [
        ("linear_wide.cl", "y = bias ? y + b : y;", "y = bias ? y - b : y;", "linear"),
        ("layer_norm.cl", "variance + p.epsilon", "variance", "layer_norm"),
        ("embedding.cl", "* p.scales[0]", "", "embedding"),
        ("additive_wide.cl", "best) / total, min(part, keys - j));", "best) / total, part);", "additive"),
        ("rotary.cl", "-((y) * (sine))", "((y) * (sine))", "rotary"),
        ("select_top.cl", "at > last.place", "at >= last.place", "select"),
        ("pool.cl", "y / (float)(last - first)", "y / (float)(last - first + 1)", "pool"),
        ("copy.cl", "entries ? entries[i] : i", "i", "copy"),
    ])
    func aWrongKernelIsQuarantined(_ file: String, _ find: String, _ replace: String, _ step: String) throws {
        let bench = try bench()
        let text = try #require(KernelText.embedded[file])
        let wrong = text.replacingOccurrences(of: find, with: replace)
        try #require(wrong != text)
        let backend = try bench.backend(Self.here, replacing: [file: wrong])
        for (name, maker) in Self.makers where name == step {
            let outcome = LayerCase(id: name, maker: maker).run(backend, seed: 5)
            // Texts that both families share leave nobody to take over.
            #expect(outcome.findings.isEmpty && (outcome.skipReason == nil || !file.contains("_wide")), "\(outcome)")
        }
        let verdict = try #require(bench.verdicts.first { $0.kernel + ".cl" == file })
        #expect(verdict.outcome == .failed)
        // What has its own text for the other family goes on.
        #expect(bench.verdicts.contains(where: \.isTrusted) == file.contains("_wide"), "\(bench.verdicts)")
    }

    @Test func theOtherFamilyTakesOver() throws {
        let bench = try bench()
        let examiner = ScriptedExaminer { trial in
            trial.policy.kernel?.hasSuffix("wide") == true
                ? .crashed("signal 11") : .passed(trial.backend.allPrograms(trial))
        }
        let backend = try bench.backend(examiner)
        for rows in [2, 9, 2, 9] {
            let step = LayerCase.Linear(rows: rows, inputs: 40, outputs: 9, hasBias: true)
            Self.expectRight(step, on: backend, "linear")
        }
        #expect(examiner.kernels.filter { $0 == "linear_wide" }.count == 1)
        #expect(Set(examiner.kernels) == ["linear_wide", "linear_few_tiled", "linear_tiled"])
        // Who asks for a family by name gets it or nothing.
        try backend.useLayers(ofFamily: "wide")
        let outcome = LayerCase(id: "forced", maker: Self.makers[0].maker).run(backend, seed: 5)
        #expect(outcome.skipReason?.hasPrefix("linear_wide: quarantined, as its self-test crashed") == true)
    }

    @Test(arguments: [false, true]) func withoutAnyKernelTheStepFallsBack(_ inPlace: Bool) throws {
        let bench = try bench()
        let device = Device(backend: try bench.backend(ScriptedExaminer { _ in .failed("wrong") }))
        let (operation, due) = try Self.normalization(inPlace: inPlace)
        let fallbacks = try device.perform(operation)
        #expect(fallbacks.count == 1)
        #expect(fallbacks.first?.reason.contains("layer_norm: quarantined, as its self-test failed: wrong") == true)
        #expect(try LayerReference.findings(due).isEmpty)
        // The device has not failed: what else it can do, it goes on doing.
        #expect(device.resting == nil)
        let (again, _) = try Self.normalization(inPlace: inPlace)
        #expect(throws: AttentionError.self) { try device.perform(again, fallback: .never) }
    }

    /// A trial within a sequence is none of it.
    @Test func trialsWithinASequence() throws {
        let bench = try bench()
        let device = Device(backend: try bench.backend(Self.here))
        let due = try device.sequence { () throws(AttentionError) in
            var all: [LayerResult] = []
            for inPlace in [false, true] {
                do {
                    let (operation, due) = try Self.normalization(inPlace: inPlace)
                    try device.perform(operation, fallback: .never)
                    all += due
                } catch {
                    throw (error as? AttentionError) ?? .deviceFailed(device: "test", detail: "\(error)")
                }
            }
            return all
        }
        #expect(try LayerReference.findings(due).isEmpty)
        #expect(bench.verdicts.map(\.kernel) == ["layer_norm"])
    }
}
