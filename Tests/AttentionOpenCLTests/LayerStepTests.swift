import Attention
import AttentionCore
import AttentionReference
import Testing

@testable import AttentionOpenCL

/// Every step of layers on every usable OpenCL device of this machine, by both families of kernels.
@Suite(.serialized) struct LayerStepTests {
    /// Sizes, strides, poison, memory beside the results, odd numbers, operands on the host and on the device, as `attend verify`
    /// has them.
    @Test(arguments: LayerMachine.choices) func stepsKeepToTheirDefinition(_ choice: LayerMachine.Choice) throws {
        let report = try Verifier.run(
            backend: try choice.backend(), VerificationOptions(cases: .quick, seed: 3, filter: "layer:"))
        #expect(report.passed && report.skipped == 0 && report.cases > 60, "\(choice.testDescription): \(report)")
    }

    /// Widths around what work-items share, for the steps that go row by row.
    @Test(arguments: LayerMachine.choices) func rowsOfEveryWidth(_ choice: LayerMachine.Choice) throws {
        let backend = try choice.backend()
        for width in [1, 15, 17, 63, 64, 65, 384] {
            let input = try Machine.numbers([5, width], 1), other = try Machine.numbers([5, width], 2)
            try LayerMachine.expectRight(
                .normalization(
                    try NormalizationOperation(
                        input: input, residual: other, weight: try Machine.numbers([width], 3),
                        bias: try Machine.numbers([width], 4), sum: try LayerMachine.result([5, width]),
                        output: try LayerMachine.result([5, width]))),
                on: backend, "layer_norm \(width)")
            for kind in PoolingOperation.Kind.allCases {
                try LayerMachine.expectRight(
                    .pooling(
                        try PoolingOperation(
                            kind, input: input, offsets: [0, 2, 2, 5], isNormalized: true,
                            output: try LayerMachine.result([3, width]))),
                    on: backend, "pool \(kind) \(width)")
            }
            let count = min(width, 7)
            try LayerMachine.expectRight(
                .selection(
                    try SelectionOperation(
                        logits: input, count: count, indices: try LayerMachine.result([5, count], .int32),
                        values: try LayerMachine.result([5, count]))),
                on: backend, "select \(width)")
        }
    }

    /// More keys than a pass has, and columns that work-items share.
    @Test(arguments: LayerMachine.choices) func additiveAttentionOverSeveralPasses(_ choice: LayerMachine.Choice) throws
    {
        let backend = try choice.backend()
        for (queries, keys, width, columns) in [(1, 64, 16, 64), (3, 65, 17, 65), (5, 200, 7, 259), (4, 1, 33, 3)] {
            try LayerMachine.expectRight(
                .additiveAttention(
                    try AdditiveAttentionOperation(
                        query: try Machine.numbers([2, queries, width], 1),
                        key: try Machine.numbers([2, keys, width], 2),
                        value: try Machine.numbers([2, keys, columns], 3), weight: try Machine.numbers([width], 4),
                        keyLengths: [keys, keys - 1], output: try LayerMachine.result([2, queries, columns]),
                        probabilities: try LayerMachine.result([2, queries, keys]))),
                on: backend, "\(queries) queries, \(keys) keys of \(width), \(columns) columns")
        }
    }

    /// The output may take the place of what is read, in host memory and in the device's.
    @Test(arguments: LayerMachine.choices) func resultsInPlaceOfOperands(_ choice: LayerMachine.Choice) throws {
        let backend = try choice.backend()
        let input = try Machine.numbers([9, 40], 1), residual = try Machine.numbers([9, 40], 2)
        let apart = try LayerMachine.result([9, 40])
        try backend.perform(
            .normalization(try NormalizationOperation(input: input, residual: residual, output: apart)), RunControl())
        for isFar in [false, true] {
            let x = isFar ? try LayerMachine.far(input, backend) : try Machine.numbers([9, 40], 1)
            let y = isFar ? try LayerMachine.far(residual, backend) : try Machine.numbers([9, 40], 2)
            try backend.perform(
                .normalization(try NormalizationOperation(input: x, residual: y, sum: y, output: x)), RunControl())
            #expect(try x.contiguousBytes() == apart.contiguousBytes())
            #expect(try y.floats() == zip(input.floats(), residual.floats()).map { $0 + $1 })
        }
    }

    @Test func refusesWhatItCannotRun() throws {
        for device in Machine.devices {
            let backend = try device.makeBackend()
            let tensor = try LayerMachine.result([2, 2])
            let control = RunControl()
            control.cancel()
            #expect(throws: AttentionError.cancelled) {
                try backend.perform(.copy(try CopyOperation(source: nil, target: tensor)), control)
            }
            backend.layerFamily = "none such"
            #expect {
                try backend.perform(.copy(try CopyOperation(source: nil, target: tensor)), RunControl())
            } throws: { error in
                guard case .unsupported? = error as? AttentionError else { return false }
                return true
            }
        }
    }
}
