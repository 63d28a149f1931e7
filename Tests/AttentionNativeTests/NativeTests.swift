import AttentionCore
import AttentionReference
import HostKernels
import KernelCalls
import Testing
import Workers

@testable import AttentionNative

struct NativeTests {
    @Test func theBaselineIsAlwaysThere() {
        #expect(InstructionSet.available.last == .baseline)
        #expect(InstructionSet.available == InstructionSet.allCases.filter { InstructionSet.available.contains($0) })
        for set in InstructionSet.available {
            #expect(String(cString: set.kernels.pointee.name) == set.rawValue)
            // A pass of keys and the room of a row are whole tiles.
            for queries in [1, 7, 40, 100, 1000] {
                let (kernel, tiles) = set.flash(queries: queries, keys: nil)
                #expect(kernel.run != nil)
                #expect(FlashTiles.tileJ.isMultiple(of: tiles.tileK))
                #expect(16.isMultiple(of: tiles.tileV))
            }
        }
    }

    @Test func anInstructionSetThatIsNotThereIsRefused() {
        for set in InstructionSet.allCases where !InstructionSet.available.contains(set) {
            #expect(throws: AttentionError.self) { try NativeBackend(instructionSet: set) }
        }
    }

    /// Swift writes the structures of Kernels/common/problem.clh byte for byte.
    @Test func structuresHaveTheSizesOfTheKernels() {
        #expect(MemoryLayout<KernelView>.stride == host_kernels_view_bytes())
        #expect(MemoryLayout<KernelSegment>.stride == host_kernels_segment_bytes())
        #expect(MemoryLayout<KernelProblem>.stride == host_kernels_problem_bytes())
    }

    /// Bits do not depend on how many threads share a call, nor on the run.
    @Test(arguments: InstructionSet.available, ["staged", "flash_wide", "decode_wide"])
    func threadsChangeNoBit(_ set: InstructionSet, _ kernel: String) throws {
        let pool = WorkerPool(threads: 5)
        for (queries, keys) in [(1, 2100), (3, 700), (130, 400)] {
            var inputs = AttentionInputs(
                query: try NativeCalls.numbers([2, 6, queries, 40], 1),
                key: try NativeCalls.numbers([2, 3, keys, 40], 2),
                value: try NativeCalls.numbers([2, 3, keys, 24], 3), mask: .causal)
            inputs.mask.alignment = .bottomRight
            let options = AttentionOptions(logSumExp: true)
            var first: [[UInt8]]?
            for threads in [1, 2, 3, 5, 5] {
                let backend = try NativeBackend(instructionSet: set, threads: threads, pool: pool)
                let (outputs, report) = try NativeCalls.run(backend, inputs, options, PlanPolicy(kernel: kernel))
                #expect(report.kernel == kernel)
                let bytes = try NativeCalls.bytes(outputs)
                #expect(bytes == first ?? bytes, "\(set) \(kernel) \(queries) queries, \(threads) threads")
                first = bytes
            }
        }
    }

    /// Every instruction set does the same arithmetic, but for the fused multiply-adds that the baseline of x86-64 lacks.
    @Test func instructionSetsAgree() throws {
        let inputs = AttentionInputs(
            query: try NativeCalls.numbers([1, 4, 70, 64], 1), key: try NativeCalls.numbers([1, 4, 300, 64], 2),
            value: try NativeCalls.numbers([1, 4, 300, 64], 3))
        let problem = try AttentionProblem(inputs)
        let reference = try Reference.evaluate(problem, inputs)
        for set in InstructionSet.available {
            let (outputs, _) = try NativeCalls.run(try NativeBackend(instructionSet: set), inputs)
            #expect(try Contract.findings(outputs, of: problem, inputs, against: reference).isEmpty, "\(set)")
        }
    }

    @Test func operandsOfADeviceAreBroughtAndTakenBack() throws {
        func far(_ tensor: Tensor) throws -> Tensor {
            let storage = try FarStorage(byteCount: tensor.count * tensor.elementType.byteCount + 64)
            let moved = try TensorLayout(
                shape: tensor.shape, strides: tensor.strides, offset: 64 / tensor.elementType.byteCount)
            let result = try Tensor(storage: storage, layout: moved, elementType: tensor.elementType)
            try result.writeBytes(of: tensor)
            return result
        }
        let backend = try NativeBackend()
        let query = try NativeCalls.numbers([1, 2, 9, 16], 1), key = try NativeCalls.numbers([1, 2, 30, 16], 2)
        let near = AttentionInputs(query: query, key: key, value: key)
        let away = AttentionInputs(query: try far(query), key: try far(key), value: try far(key))
        let problem = try AttentionProblem(away)
        let outputs = try problem.makeOutputs(for: away) { (bytes) throws(AttentionError) in
            try FarStorage(byteCount: bytes)
        }
        _ = try backend.plan(problem, PlanPolicy()).run(problem, away, outputs, RunControl())
        let expected = try NativeCalls.run(backend, near).outputs.output.contiguousBytes()
        #expect(try outputs.output.contiguousBytes() == expected)
    }

    @Test func whatItCannotDoIsRefusedWithAReason() throws {
        let backend = try NativeBackend()
        func reason(_ type: ElementType, _ depth: Int, _ policy: PlanPolicy) throws -> String? {
            let tensor = try Tensor(zeros: [1, 1, 2, depth], elementType: type)
            let problem = try AttentionProblem(AttentionInputs(query: tensor, key: tensor, value: tensor))
            do throws(AttentionError) { _ = try backend.plan(problem, policy) } catch {
                guard case .unsupported(_, let reason) = error else { return "\(error)" }
                return reason
            }
            return nil
        }
        #expect(try reason(.float64, 4, PlanPolicy())?.contains("f64") == true)
        #expect(try reason(.float32, 4, PlanPolicy(kernel: "nothing"))?.contains("no kernel 'nothing'") == true)
        #expect(try reason(.float32, 4, PlanPolicy(family: "tiled"))?.contains("'wide'") == true)
        #expect(try reason(.float32, 1025, PlanPolicy(kernel: "flash_wide"))?.contains("beyond 1024") == true)
        #expect(try reason(.float32, 1025, PlanPolicy()) == nil)
        #expect(try reason(.float32, 4, PlanPolicy(precision: .fast))?.contains("precision fast") == true)
    }

    @Test func aCancelledCallStops() throws {
        let control = RunControl()
        control.cancel()
        let tensor = try NativeCalls.numbers([1, 1, 1, 2], 1)
        let inputs = AttentionInputs(query: tensor, key: tensor, value: tensor)
        #expect(throws: AttentionError.cancelled) {
            _ = try NativeCalls.run(try NativeBackend(), inputs, AttentionOptions(), PlanPolicy(), control)
        }
    }
}
