import Attention
import AttentionCore
import AttentionReference
import HostKernels
import KernelCalls
import Testing
import Workers

@testable import AttentionNative

/// Every step of layers, on every instruction set that this processor has.
struct LayerStepTests {
    /// Swift writes the structures of Kernels/common/layer.clh byte for byte.
    @Test func structuresHaveTheSizesOfTheKernels() {
        #expect(MemoryLayout<KernelLinear>.stride == host_kernels_layer_bytes(host_layer_linear))
        #expect(MemoryLayout<KernelNormalization>.stride == host_kernels_layer_bytes(host_layer_norm))
        #expect(MemoryLayout<KernelEmbedding>.stride == host_kernels_layer_bytes(host_layer_embedding))
        #expect(MemoryLayout<KernelRotary>.stride == host_kernels_layer_bytes(host_layer_rotary))
        #expect(MemoryLayout<KernelPooling>.stride == host_kernels_layer_bytes(host_layer_pool))
        #expect(MemoryLayout<KernelSelection>.stride == host_kernels_layer_bytes(host_layer_select))
        #expect(MemoryLayout<KernelCopy>.stride == host_kernels_layer_bytes(host_layer_copy))
        #expect(MemoryLayout<KernelAdditive>.stride == host_kernels_layer_bytes(host_layer_additive))
    }

    /// The tiles that Swift packs for are those that the kernels were compiled with.
    @Test(arguments: InstructionSet.available) func tilesAreThoseOfTheKernels(_ set: InstructionSet) throws {
        let kernels = set.kernels.pointee
        let tiles = try #require(LinearTiles.row(nativeWidth: Int(kernels.lanes)))
        #expect(tiles.lanes == Int(kernels.lanes))
        #expect(tiles.vectors == Int(kernels.layers.linear.query_vectors))
        #expect(tiles.tileRows == Int(kernels.layers.linear.rows))
    }

    /// Sizes, strides, poison, memory beside the results, and odd numbers, as `attend verify` has them.
    @Test(arguments: InstructionSet.available, [1, 3])
    func stepsKeepToTheirDefinition(_ set: InstructionSet, _ threads: Int) throws {
        let backend = try NativeBackend(instructionSet: set, threads: threads, pool: WorkerPool(threads: threads))
        let report = try Verifier.run(
            backend: backend, VerificationOptions(cases: .full, seed: UInt64(threads), filter: "layer:"))
        #expect(report.passed && report.skipped == 0 && report.cases > 400, "\(report)")
    }

    /// Widths around a vector and around the parts that a kernel takes at once, for the steps that go row by row.
    @Test(arguments: InstructionSet.available) func rowsOfEveryWidth(_ set: InstructionSet) throws {
        let backend = try NativeBackend(instructionSet: set, threads: 2, pool: WorkerPool(threads: 2))
        let lanes = Int(set.kernels.pointee.lanes)
        for width in [1, lanes - 1, lanes, lanes + 1, 2 * lanes + 3, 67, 384] {
            let input = try NativeCalls.numbers([5, width], 1), other = try NativeCalls.numbers([5, width], 2)
            try LayerCalls.expectRight(
                .normalization(
                    try NormalizationOperation(
                        input: input, residual: other, weight: try NativeCalls.numbers([width], 3),
                        bias: try NativeCalls.numbers([width], 4), sum: try LayerCalls.result([5, width]),
                        output: try LayerCalls.result([5, width]))),
                on: backend, "layer_norm \(width)")
            for kind in PoolingOperation.Kind.allCases {
                try LayerCalls.expectRight(
                    .pooling(
                        try PoolingOperation(
                            kind, input: input, offsets: [0, 2, 2, 5], isNormalized: true,
                            output: try LayerCalls.result([3, width]))),
                    on: backend, "pool \(kind) \(width)")
            }
            let count = min(width, 7)
            try LayerCalls.expectRight(
                .selection(
                    try SelectionOperation(
                        logits: input, count: count, indices: try LayerCalls.result([5, count], .int32),
                        values: try LayerCalls.result([5, count]))),
                on: backend, "select \(width)")
        }
    }

    /// Ties, zeros of both signs, infinities and NaN, where an order is easily got wrong.
    @Test(arguments: InstructionSet.available) func selectionOfOddNumbers(_ set: InstructionSet) throws {
        let backend = try NativeBackend(instructionSet: set)
        let rows: [[Float]] = [
            [0, -0, 0, -0, .leastNonzeroMagnitude], [.nan, -.infinity, .nan, -.infinity, 1],
            [.nan, .nan, .nan, .nan, .nan],
            [-.infinity, -.infinity, -.infinity, -.infinity, -.infinity],
            [.infinity, 3, .infinity, -.greatestFiniteMagnitude, 3],
        ]
        for row in rows {
            let indices = try LayerCalls.result([1, 5], .int32)
            try LayerCalls.expectRight(
                .selection(
                    try SelectionOperation(
                        logits: try Tensor(row, shape: [1, 5]), count: 5, indices: indices,
                        values: try LayerCalls.result([1, 5]))),
                on: backend, "\(row)")
            #expect(Set(try indices.doubles()) == [0, 1, 2, 3, 4])
        }
    }

    /// More keys than a pass of additive attention has, and columns that fill its registers and do not.
    @Test(arguments: InstructionSet.available) func additiveAttentionOverSeveralPasses(_ set: InstructionSet) throws {
        let backend = try NativeBackend(instructionSet: set, threads: 2, pool: WorkerPool(threads: 2))
        let lanes = Int(set.kernels.pointee.lanes)
        for (keys, width, columns) in [(64, lanes, 4 * lanes), (65, lanes + 1, 4 * lanes + 1), (200, 7, 9 * lanes)] {
            let probabilities = try LayerCalls.result([2, 3, keys])
            try LayerCalls.expectRight(
                .additiveAttention(
                    try AdditiveAttentionOperation(
                        query: try NativeCalls.numbers([2, 3, width], 1),
                        key: try NativeCalls.numbers([2, keys, width], 2),
                        value: try NativeCalls.numbers([2, keys, columns], 3),
                        weight: try NativeCalls.numbers([width], 4),
                        keyLengths: [keys, keys - 1], output: try LayerCalls.result([2, 3, columns]),
                        probabilities: probabilities)),
                on: backend, "\(keys) keys of \(width), \(columns) columns")
        }
    }

    /// Long rows are copied in parts, and dimensions without gaps as one.
    @Test func copiesOfEverySizeAndShape() throws {
        let backend = try NativeBackend(instructionSet: nil, threads: 3, pool: WorkerPool(threads: 3))
        for type in [ElementType.bool, .float16, .float32, .float64, .int64] {
            for shape in [[40_001], [3, 17_000], [2, 3, 4, 5], [1, 1, 7, 1], [4, 1, 1, 9]] {
                let count = shape.reduce(1, *)
                let source = try Tensor(zeros: shape, elementType: type)
                try source.write((0..<count).map { Double($0 % 2) })
                let target = try Tensor(zeros: shape, elementType: type)
                try backend.perform(.copy(try CopyOperation(source: source, target: target)), RunControl())
                #expect(try target.contiguousBytes() == source.contiguousBytes(), "\(type) \(shape)")
                let entries = (0..<Int32(shape[0])).reversed().map { $0 }
                try backend.perform(
                    .copy(try CopyOperation(source: source, entries: entries, target: target)), RunControl())
                let expected = try Array(source.doubles().chunks(count / shape[0]).reversed().joined())
                #expect(try target.doubles() == expected, "\(type) \(shape), gathered")
                try backend.perform(.copy(try CopyOperation(source: nil, target: target)), RunControl())
                #expect(try target.contiguousBytes().allSatisfy { $0 == 0 }, "\(type) \(shape), zeros")
            }
        }
    }

    @Test func operandsOfADeviceAreBroughtAndTakenBack() throws {
        let backend = try NativeBackend()
        let near = try NativeCalls.numbers([4, 20], 1)
        let (input, output) = (try LayerCalls.far(near), try LayerCalls.far(near))
        let (same, sum) = (try LayerCalls.result([4, 20]), try LayerCalls.far(near))
        try backend.perform(
            .normalization(try NormalizationOperation(input: input, residual: output, sum: sum, output: output)),
            RunControl())
        try backend.perform(
            .normalization(try NormalizationOperation(input: near, residual: near, output: same)), RunControl())
        #expect(try output.contiguousBytes() == same.contiguousBytes())
        #expect(try sum.floats() == near.floats().map { $0 + $0 })
        #expect(try input.contiguousBytes() == near.contiguousBytes())
    }

    @Test func aCancelledStepStops() throws {
        let control = RunControl()
        control.cancel()
        let tensor = try NativeCalls.numbers([2, 2], 1)
        #expect(throws: AttentionError.cancelled) {
            try NativeBackend().perform(.copy(try CopyOperation(source: nil, target: tensor)), control)
        }
    }
}

extension Array {
    fileprivate func chunks(_ size: Int) -> [ArraySlice<Element>] {
        stride(from: 0, to: count, by: Swift.max(size, 1)).map { self[$0..<Swift.min($0 + size, count)] }
    }
}
