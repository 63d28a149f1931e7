import AttentionCore
import Foundation
import OpenCLRuntime
import Testing

@_spi(Testing) @testable import Attention
@_spi(Testing) @testable import AttentionOpenCL

/// What becomes of what a search found.
@Suite(.serialized, .enabled(if: TestDevices.wide != nil, "no OpenCL device with vectors"))
struct TuningTests {
    private let shape = AttentionShape(
        batch: 1, queryHeads: 2, keyValueHeads: 2, queryLength: 70, keyLength: 130, headDimension: 16)

    private func bench() throws -> SelfTestBench { try SelfTestBench(#require(TestDevices.wide)) }

    /// As a new process would have it.
    private func backend(_ bench: SelfTestBench, replacing files: [String: String] = [:]) throws -> OpenCLBackend {
        try bench.candidate.makeBackend(replacingSources: files, cache: bench.cache)
    }

    private func problem(_ queries: Int = 70, keys: Int = 130, dimension: Int = 16) throws -> AttentionProblem {
        try AttentionProblem(
            AttentionInputs(
                query: .placeholder([1, 2, queries, dimension], .float32),
                key: .placeholder([1, 2, keys, dimension], .float32),
                value: .placeholder([1, 2, keys, dimension], .float32)), AttentionOptions())
    }

    private let tuning = KernelTuning(
        kernel: "flash_wide", sizes: ["QUERY_VECTORS": 1, "TILE_K": 6, "TILE_V": 4], shape: "a call", before: 2,
        after: 1)

    @Test func plansTakeWhatIsKept() throws {
        let bench = try bench()
        let first = try backend(bench)
        let policy = PlanPolicy()
        let untuned = try first.plan(problem(), policy).explanation
        #expect(first.keep(tuning, for: try problem(), policy))
        for backend in [first, try backend(bench)] {
            let plan = try backend.plan(problem(), policy).explanation
            #expect(plan.sizes == tuning.sizes)
            #expect(plan.choices.contains { $0.hasPrefix("tuned on 2") && $0.hasSuffix("at a call: 2 → 1 ms") })
            // Calls of about that size, and no others.
            #expect(try backend.plan(problem(120, keys: 200), policy).explanation.sizes == tuning.sizes)
            #expect(try backend.plan(problem(70, keys: 2000), policy).explanation.sizes == untuned.sizes)
            #expect(try backend.plan(problem(70, dimension: 40), policy).explanation.sizes == untuned.sizes)
            // Who wants it otherwise has it otherwise.
            #expect(try backend.plan(problem(), PlanPolicy(usesTuning: false)).explanation.sizes == untuned.sizes)
            #expect(try backend.plan(problem(), PlanPolicy(kernel: "staged")).explanation.kernel == "staged")
            #expect(
                try backend.plan(problem(), PlanPolicy(kernel: "flash_wide", tiles: ["TILE_K": 12])).explanation.sizes
                    == untuned.sizes.merging(["TILE_K": 12]) { $1 })
        }
        let listed = KernelCache(cache: bench.cache).entries([.tuning])
        #expect(listed.map(\.tuning) == [tuning] && listed.map(\.verdict) == [nil])
        first.forgetTuning(for: try problem(), policy)
        #expect(try first.plan(problem(), policy).explanation.sizes == untuned.sizes)
        #expect(try backend(bench).plan(problem(), policy).explanation.sizes == untuned.sizes)
    }

    @Test func anotherTextIsNotTunedYet() throws {
        let bench = try bench()
        #expect(try backend(bench).keep(tuning, for: problem(), PlanPolicy()))
        let text = try #require(KernelText.embedded["flash_wide.cl"]) + "\n"
        let plan = try backend(bench, replacing: ["flash_wide.cl": text]).plan(problem(), PlanPolicy())
        #expect(plan.explanation.sizes != tuning.sizes)
    }

    @Test func aDamagedFileIsAsGoodAsNone() throws {
        let bench = try bench()
        #expect(try backend(bench).keep(tuning, for: problem(), PlanPolicy()))
        let file = try #require(bench.files(".tuning").first)
        var bytes = try Data(contentsOf: URL(fileURLWithPath: file))
        bytes[bytes.count - 1] ^= 1
        try bytes.write(to: URL(fileURLWithPath: file))
        #expect(try backend(bench).plan(problem(), PlanPolicy()).explanation.sizes != tuning.sizes)
    }

    @Test func tilesThatAreNotPossibleAreLeft() throws {
        let backend = try backend(bench())
        let impossible = KernelTuning(kernel: "flash_wide", sizes: ["TILE_K": 7], shape: "", before: 2, after: 1)
        _ = backend.keep(impossible, for: try problem(), PlanPolicy())
        let plan = try backend.plan(problem(), PlanPolicy()).explanation
        #expect(plan.kernel == "flash_wide")
        #expect(plan.warnings.contains { $0.contains("TILE_K is 7") })
    }

    @Test func aSearchEndsWithAPlanThatIsTaken() throws {
        let bench = try bench()
        let device = Device(backend: try backend(bench))
        var seen: [TuningProgress] = []
        let result = try device.tune(shape, mask: .causal) { state in
            seen.append(state)
            return true
        }
        #expect(result.timed > 1 && result.refused.isEmpty && !result.isPartial, "\(result)")
        #expect(seen.count >= result.timed - 1 && seen.allSatisfy { $0.looked < $0.most && $0.best <= $0.before })
        #expect(result.isKept == result.isFaster && (!result.isFaster || result.after < result.before))
        let plan = try device.attentionPlan(shape, mask: .causal).explanation
        #expect(plan.kernel == result.kernel && plan.sizes == result.sizes)
        #expect(try bench.files(".tuning").count == (result.isKept ? 1 : 0))
    }

    @Test func aSearchThatIsStoppedLooksNoFurther() throws {
        let device = Device(backend: try backend(bench()))
        var asked = 0
        let result = try device.tune(shape) { _ in
            asked += 1
            return asked < 3
        }
        #expect(result.isPartial && asked == 3 && result.timed <= 3)
    }

    /// Fast and wrong is not fast.
    @Test func wrongTilesAreRefused() throws {
        let bench = try bench()
        let right = try #require(try backend(bench).plan(problem(), PlanPolicy()).explanation.sizes["TILE_K"])
        let text = try #require(KernelText.embedded["flash_wide.cl"])
        let line = "#define LOGIT_UNIT 0x1.715476p+0f // log2 e\n"
        let wrong = text.replacingOccurrences(
            of: line, with: "#if TILE_K != \(right)\n#define LOGIT_UNIT 1.0f\n#else\n\(line)#endif\n")
        #expect(wrong != text)
        let device = Device(backend: try backend(bench, replacing: ["flash_wide.cl": wrong]))
        let result = try device.tune(shape, policy: PlanPolicy(kernel: "flash_wide"))
        #expect(!result.refused.isEmpty && result.refused.allSatisfy { $0.contains("wrong in a self-test") })
        #expect(result.sizes["TILE_K"] == right)
    }

    @Test func whatCannotBeTunedIsSaid() throws {
        let device = Device(backend: try backend(bench()))
        #expect(throws: AttentionError.self) {
            try device.tune(shape, mask: .tensor(Tensor(uninitialized: [70, 130], .bool)))
        }
        #expect(throws: AttentionError.self) { try device.tune(shape, policy: PlanPolicy(kernel: "staged")) }
        #expect(throws: AttentionError.self) { try device.tune(shape, policy: PlanPolicy(tiles: ["TILE_K": 6])) }
        #expect(throws: AttentionError.self) { try Device.native().tune(shape) }
        #expect(throws: AttentionError.self) {
            try device.tune(
                AttentionShape(
                    batch: 0, queryHeads: 2, keyValueHeads: 2, queryLength: 7, keyLength: 9, headDimension: 16))
        }
    }
}
