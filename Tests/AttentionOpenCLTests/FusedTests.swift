import AttentionCore
import KernelCalls
import Testing

@_spi(Testing) @testable import AttentionOpenCL

/// The fused kernels on every device of this machine whose vectors are wide enough.
@Suite(.serialized) struct FusedTests {
    static let kernels = ["flash_wide", "decode_wide"]

    /// Devices that have `kernel`; the others must say why not.
    private func backends(_ kernel: String) throws -> [OpenCLBackend] {
        try Machine.devices.compactMap { candidate in
            let backend = try candidate.makeBackend()
            if candidate.family == "wide" { return backend }
            let tensor = try Machine.numbers([1, 1, 1, 2], 1)
            let problem = try AttentionProblem(AttentionInputs(query: tensor, key: tensor, value: tensor))
            #expect {
                _ = try backend.plan(problem, PlanPolicy(kernel: kernel))
            } throws: { error in
                guard case .unsupported(_, let reason)? = error as? AttentionError else { return false }
                return reason.contains("native float width")
            }
            return nil
        }
    }

    /// A row's bits do not depend on the rows beside it, nor on where its tile begins.
    @Test(arguments: kernels) func rowsAloneHaveTheBitsOfRowsTogether(kernel: String) throws {
        for backend in try backends(kernel) {
            let lengths = (queries: 150, keys: 420)
            var causal = AttentionMask.causal
            causal.windowLeft = 200
            var band = AttentionMask()
            band.windowLeft = 50
            band.windowRight = 37
            for mask in [causal, band] {
                var inputs = AttentionInputs(
                    query: try Machine.numbers([1, 4, lengths.queries, 24], 1),
                    key: try Machine.numbers([1, 2, lengths.keys, 24], 2),
                    value: try Machine.numbers([1, 2, lengths.keys, 40], 3), mask: mask)
                inputs.mask.alignment = .bottomRight
                let policy = PlanPolicy(kernel: kernel)
                let (together, _) = try Machine.run(backend, inputs, AttentionOptions(), policy)
                for row in [0, 1, 63, 64, 97, 149] {
                    // The last row of fewer keys stands where it stood: bottom-right.
                    var alone = inputs
                    alone.query = try inputs.query.sliced(axis: 2, row..<row + 1)
                    let position = row + lengths.keys - lengths.queries
                    let keys = min(lengths.keys, position + 1 + (mask.windowRight ?? 0))
                    alone.mask.windowRight = nil
                    alone.mask.windowLeft = mask.windowLeft.map { $0 + keys - 1 - position }
                    alone.mask.isCausal = false
                    alone.key = try inputs.key.sliced(axis: 2, 0..<keys)
                    alone.value = try inputs.value.sliced(axis: 2, 0..<keys)
                    let (one, _) = try Machine.run(backend, alone, AttentionOptions(), policy)
                    let expected = try together.output.sliced(axis: 2, row..<row + 1).floats().map(\.bitPattern)
                    #expect(
                        try one.output.floats().map(\.bitPattern) == expected,
                        "row \(row) on \(backend.device.name), \(mask)")
                }
            }
        }
    }

    /// However the tiles are dealt out, the results are the same to the bit: run to run and beside other batch entries.
    @Test(arguments: kernels) func batchAndRunChangeNoBit(kernel: String) throws {
        for backend in try backends(kernel) {
            let inputs = AttentionInputs(
                query: try Machine.numbers([5, 6, 70, 33], 1), key: try Machine.numbers([5, 2, 130, 33], 2),
                value: try Machine.numbers([5, 2, 130, 65], 3))
            let policy = PlanPolicy(kernel: kernel)
            let (first, _) = try Machine.run(backend, inputs, AttentionOptions(), policy)
            let (second, _) = try Machine.run(backend, inputs, AttentionOptions(), policy)
            #expect(try first.output.contiguousBytes() == second.output.contiguousBytes())
            for entry in 0..<5 {
                var alone = inputs
                alone.query = try inputs.query.sliced(axis: 0, entry..<entry + 1)
                alone.key = try inputs.key.sliced(axis: 0, entry..<entry + 1)
                alone.value = try inputs.value.sliced(axis: 0, entry..<entry + 1)
                let (one, _) = try Machine.run(backend, alone, AttentionOptions(), policy)
                #expect(
                    try one.output.contiguousBytes()
                        == first.output.sliced(axis: 0, entry..<entry + 1).contiguousBytes(), "entry \(entry)")
            }
        }
    }

    /// Without scratch memory, whatever the lengths are.
    @Test func fusedCallsTakeNoScratch() throws {
        for backend in try backends("flash_wide") {
            let tensor = try Machine.numbers([1, 1, 700, 8], 1)
            let (_, report) = try Machine.run(backend, AttentionInputs(query: tensor, key: tensor, value: tensor))
            #expect(report.kernel == "flash_wide")
            #expect(report.scratchBytes == 0)
        }
    }

    /// Chunks that several work-items share have the bits of chunks that one walks: heads alone are shared, many are not.
    @Test func sharedChunksHaveTheSameBits() throws {
        for backend in try backends("decode_wide") {
            let heads = 8 * backend.profile.computeUnits
            var inputs = AttentionInputs(
                query: try Machine.numbers([1, heads, 1, 20], 1), key: try Machine.numbers([1, heads, 1500, 20], 2),
                value: try Machine.numbers([1, heads, 1500, 20], 3))
            inputs.keyLengths = [1397]
            let options = AttentionOptions(logSumExp: true)
            let (many, report) = try Machine.run(backend, inputs, options)
            #expect(report.kernel == "decode_wide")
            #expect(report.scratchBytes == 0)
            for head in [0, heads - 1] {
                var alone = inputs
                alone.query = try inputs.query.sliced(axis: 1, head..<head + 1)
                alone.key = try inputs.key.sliced(axis: 1, head..<head + 1)
                alone.value = try inputs.value.sliced(axis: 1, head..<head + 1)
                let (one, report) = try Machine.run(backend, alone, options)
                #expect(report.scratchBytes > 0, "one head's chunks were not shared")
                #expect(
                    try one.output.contiguousBytes()
                        == many.output.sliced(axis: 1, head..<head + 1).contiguousBytes(), "head \(head)")
                #expect(
                    try one.logSumExp?.contiguousBytes()
                        == many.logSumExp?.sliced(axis: 1, head..<head + 1).contiguousBytes(), "head \(head)")
            }
        }
    }

    /// `decode_wide` has the same bits whether it is compiled for storages or told them by the problem.
    @Test func toldStoragesHaveTheBitsOfCompiledOnes() throws {
        guard let source = KernelText.embedded["decode_wide.cl"] else {
            Issue.record("there is no decode_wide.cl")
            return
        }
        let told = ["decode_wide.cl": "#undef Q_STORAGE\n#undef V_STORAGE\n" + source]
        // Each storage once for queries and once for values: every pair is a program to build.
        let types: [(query: ElementType, value: ElementType)] = [
            (.float32, .float16), (.float16, .bfloat16), (.bfloat16, .float32),
        ]
        for candidate in Machine.devices where candidate.family == "wide" {
            let compiled = try candidate.makeBackend()
            let learning = try candidate.makeBackend(replacingSources: told)
            for type in types {
                // Columns that fill registers and vectors, and some that do not.
                let inputs = AttentionInputs(
                    query: try Machine.numbers([2, 6, 1, 35], 1, type.query),
                    key: try Machine.numbers([2, 2, 300, 35], 2, type.query),
                    value: try Machine.numbers([2, 2, 300, 147], 3, type.value))
                let policy = PlanPolicy(kernel: "decode_wide")
                let (expected, _) = try Machine.run(compiled, inputs, AttentionOptions(), policy)
                let (found, _) = try Machine.run(learning, inputs, AttentionOptions(), policy)
                #expect(
                    try found.output.contiguousBytes() == expected.output.contiguousBytes(),
                    "\(type) on \(candidate.description.name)")
            }
        }
    }

    @Test func plansSayWhyTheyPassedTheOtherOver() throws {
        for backend in try backends("flash_wide") {
            let few = try Machine.numbers([1, 4, 1, 16], 1), many = try Machine.numbers([1, 4, 90, 16], 2)
            for (query, chosen, refused) in [(few, "decode_wide", "flash_wide"), (many, "flash_wide", "decode_wide")] {
                let problem = try AttentionProblem(AttentionInputs(query: query, key: many, value: many))
                let explanation = try backend.plan(problem, PlanPolicy()).explanation
                #expect(explanation.kernel == chosen)
                #expect(explanation.refusals.contains { $0.hasPrefix(refused) })
            }
        }
    }
}
