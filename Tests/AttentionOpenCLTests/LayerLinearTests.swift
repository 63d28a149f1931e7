import AttentionCore
import AttentionReference
import KernelCalls
import OpenCLRuntime
import Testing

@_spi(Testing) @testable import AttentionOpenCL

/// The linear step on every usable OpenCL device: tiles that are not whole, all types of weights, every row of the tables.
@Suite(.serialized) struct LayerLinearTests {
    private static let types: [ElementType] = [.float32, .float16, .bfloat16]

    private static func weight(_ outputs: Int, _ inputs: Int, _ type: ElementType) throws -> Tensor {
        try Machine.numbers([outputs, inputs], 5, type)
    }

    @Test(arguments: LayerMachine.choices) func sizesAroundTheTiles(_ choice: LayerMachine.Choice) throws {
        let backend = try choice.backend()
        for (index, rows) in [1, 2, 3, 7, 8, 9, 13, 31, 33, 63, 64, 65, 130].enumerated() {
            let type = Self.types[index % 3]
            let inputs = [1, 16, 63, 64, 65, 200][index % 6], outputs = [1, 4, 63, 64, 67][index % 5]
            let source = try Self.weight(outputs, inputs, type)
            try LayerMachine.expectRight(
                .linear(
                    try LinearOperation(
                        input: try Machine.numbers([rows, inputs], 1), weight: try backend.prepare(weight: source),
                        bias: try Machine.numbers([outputs], 2), activation: Activation.allCases[index % 5],
                        residual: try Machine.numbers([rows, outputs], 3),
                        output: try LayerMachine.result([rows, outputs]))),
                on: backend, "\(rows) × \(inputs) → \(outputs), \(type)")
        }
    }

    /// A row has the same bits alone, beside others, and with the tiles of smaller devices.
    @Test(arguments: LayerMachine.choices) func companyAndTilesChangeNoBit(_ choice: LayerMachine.Choice) throws {
        let (rows, inputs, outputs) = (37, 401, 50)
        let input = try Machine.numbers([rows, inputs], 1), bias = try Machine.numbers([outputs], 2)
        let source = try Self.weight(outputs, inputs, .float16)
        var first: [UInt8]?
        for largest in choice.family == "tiled" ? [256, 128, 64, 32, 16] : [256] {
            var limits = DeviceLimits()
            limits.workGroup = largest
            let backend = try choice.candidate.makeBackend(replacingSources: [:], limits: limits)
            backend.layerFamily = choice.family
            let weight = try backend.prepare(weight: source)
            func output(_ range: Range<Int>) throws -> [UInt8] {
                let output = try LayerMachine.result([range.count, outputs])
                let step = try LinearOperation(
                    input: try input.sliced(axis: 0, range), weight: weight, bias: bias, activation: .gelu,
                    output: output)
                try backend.perform(.linear(step), RunControl())
                return try output.contiguousBytes()
            }
            let all = try output(0..<rows)
            #expect(all == first ?? all, "\(choice.testDescription), work-groups of \(largest)")
            first = all
            var parts: [UInt8] = []
            var start = 0
            for count in [1, 2, 3, 8, 14] {
                parts += try output(start..<start + count)
                start += count
            }
            parts += try output(start..<rows)
            #expect(parts == all, "\(choice.testDescription), in parts, work-groups of \(largest)")
        }
    }

    /// Weights of another backend or family are prepared for the call.
    @Test(arguments: LayerMachine.choices) func weightsOfOthersAreTaken(_ choice: LayerMachine.Choice) throws {
        let backend = try choice.backend()
        let source = try Self.weight(70, 30, .bfloat16)
        let input = try Machine.numbers([3, 30], 1)
        var weights: [any PreparedWeight] = [try PlainWeight(source), try choice.backend().prepare(weight: source)]
        backend.layerFamily = choice.family == "wide" ? "tiled" : "wide"
        weights.append(try backend.prepare(weight: source))
        backend.layerFamily = choice.family
        for (index, weight) in weights.enumerated() {
            try LayerMachine.expectRight(
                .linear(try LinearOperation(input: input, weight: weight, output: try LayerMachine.result([3, 70]))),
                on: backend, "weight \(index)")
        }
    }

    /// The output may be the residual, and rows without inputs are the bias.
    @Test(arguments: LayerMachine.choices) func edges(_ choice: LayerMachine.Choice) throws {
        let backend = try choice.backend()
        let (input, residual) = (try Machine.numbers([9, 40], 1), try Machine.numbers([9, 50], 2))
        let weight = try backend.prepare(weight: try Self.weight(50, 40, .float32))
        let apart = try LayerMachine.result([9, 50])
        try backend.perform(
            .linear(try LinearOperation(input: input, weight: weight, residual: residual, output: apart)), RunControl())
        try backend.perform(
            .linear(try LinearOperation(input: input, weight: weight, residual: residual, output: residual)),
            RunControl())
        #expect(try residual.contiguousBytes() == apart.contiguousBytes())

        let bias = try Machine.numbers([50], 3)
        let none = try backend.prepare(weight: try Tensor(uninitialized: [50, 0]))
        for rows in [2, 9] {
            let output = try LayerMachine.result([rows, 50])
            try backend.perform(
                .linear(
                    try LinearOperation(
                        input: try Tensor(uninitialized: [rows, 0]), weight: none, bias: bias, output: output)),
                RunControl())
            #expect(try output.floats() == (0..<rows).flatMap { _ in try bias.floats() })
        }
    }
}
