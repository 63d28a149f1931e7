import AttentionCore
import AttentionReference
import KernelCalls
import Testing
import Workers

@testable import AttentionNative

/// The linear step: every number of rows in a tile, panels and chunks that are not whole, all types of weights.
struct LayerLinearTests {
    private static let types: [ElementType] = [.float32, .float16, .bfloat16]

    private static func weight(_ outputs: Int, _ inputs: Int, _ type: ElementType) throws -> Tensor {
        try NativeCalls.numbers([outputs, inputs], 5, type)
    }

    @Test(arguments: InstructionSet.available) func tilesOfEveryHeight(_ set: InstructionSet) throws {
        let backend = try NativeBackend(instructionSet: set, threads: 2, pool: WorkerPool(threads: 2))
        let tiles = backend.linearTiles
        let chunk = LinearTiles.chunk
        for rows in 1...2 * tiles.tileRows + 3 {
            let type = Self.types[rows % 3]
            let outputs = [1, tiles.lanes, tiles.panelColumns - 1, tiles.panelColumns, 3 * tiles.panelColumns + 1]
            let inputs = [1, 7, chunk - 1, chunk, chunk + 1, 2 * chunk + 5][rows % 6]
            let width = outputs[rows % 5]
            let source = try Self.weight(width, inputs, type)
            try LayerCalls.expectRight(
                .linear(
                    try LinearOperation(
                        input: try NativeCalls.numbers([rows, inputs], 1), weight: try backend.prepare(weight: source),
                        bias: try NativeCalls.numbers([width], 2), output: try LayerCalls.result([rows, width]))),
                on: backend, "\(rows) × \(inputs) → \(width), \(type)")
        }
    }

    /// A row has the same bits alone and beside others, whatever the number of threads.
    @Test(arguments: InstructionSet.available, types)
    func companyAndThreadsChangeNoBit(_ set: InstructionSet, _ type: ElementType) throws {
        let (rows, inputs, outputs) = (37, 401, 100)
        let input = try NativeCalls.numbers([rows, inputs], 1), bias = try NativeCalls.numbers([outputs], 2)
        let source = try Self.weight(outputs, inputs, type)
        var first: [UInt8]?
        for threads in [1, 2, 5] {
            let pool = WorkerPool(threads: threads)
            let backend = try NativeBackend(instructionSet: set, threads: threads, pool: pool)
            let weight = try backend.prepare(weight: source)
            func output(_ range: Range<Int>) throws -> [UInt8] {
                let output = try LayerCalls.result([range.count, outputs])
                let step = try LinearOperation(
                    input: try input.sliced(axis: 0, range), weight: weight, bias: bias, activation: .gelu,
                    residual: nil, output: output)
                try backend.perform(.linear(step), RunControl())
                return try output.contiguousBytes()
            }
            let all = try output(0..<rows)
            #expect(all == first ?? all, "\(set) \(type), \(threads) threads")
            first = all
            var parts: [UInt8] = []
            var start = 0
            for count in [1, 2, 3, 4, 5, 7, 8] {
                parts += try output(start..<start + count)
                start += count
            }
            parts += try output(start..<rows)
            #expect(parts == all, "\(set) \(type), in parts")
        }
    }

    /// The packing of all threads is that of one, and a backend takes the weights of another instruction set.
    @Test func weightsOfAnotherInstructionSetArePackedAnew() throws {
        let source = try Self.weight(700, 300, .float32)
        let input = try NativeCalls.numbers([3, 300], 1)
        for maker in InstructionSet.available {
            let pool = WorkerPool(threads: 4)
            let weight = try NativeBackend(instructionSet: maker, threads: 4, pool: pool).prepare(weight: source)
            for user in InstructionSet.available {
                try LayerCalls.expectRight(
                    .linear(
                        try LinearOperation(input: input, weight: weight, output: try LayerCalls.result([3, 700]))),
                    on: try NativeBackend(instructionSet: user), "weights of \(maker)")
            }
        }
        let plain = try PlainWeight(source)
        try LayerCalls.expectRight(
            .linear(try LinearOperation(input: input, weight: plain, output: try LayerCalls.result([3, 700]))),
            on: try NativeBackend(), "weights as they are")
    }

    /// The output may be the residual, and rows without inputs are the bias.
    @Test(arguments: InstructionSet.available) func edges(_ set: InstructionSet) throws {
        let backend = try NativeBackend(instructionSet: set)
        let (input, residual) = (try NativeCalls.numbers([9, 40], 1), try NativeCalls.numbers([9, 50], 2))
        let weight = try backend.prepare(weight: try Self.weight(50, 40, .float32))
        let apart = try LayerCalls.result([9, 50])
        try backend.perform(
            .linear(try LinearOperation(input: input, weight: weight, residual: residual, output: apart)), RunControl())
        try backend.perform(
            .linear(try LinearOperation(input: input, weight: weight, residual: residual, output: residual)),
            RunControl())
        #expect(try residual.contiguousBytes() == apart.contiguousBytes())

        let bias = try NativeCalls.numbers([50], 3)
        let none = try Tensor(uninitialized: [50, 0])
        try backend.perform(
            .linear(
                try LinearOperation(
                    input: try Tensor(uninitialized: [9, 0]), weight: try backend.prepare(weight: none), bias: bias,
                    output: apart)), RunControl())
        #expect(try apart.floats() == (0..<9).flatMap { _ in try bias.floats() })
    }

    /// Within 2⁻²⁴ of |x|, or two units in the last place, of what the formula gives.
    @Test(arguments: InstructionSet.available, Activation.allCases)
    func activationsAreExact(_ set: InstructionSet, _ activation: Activation) throws {
        let backend = try NativeBackend(instructionSet: set)
        let one = try backend.prepare(weight: try Tensor([Float(1)], shape: [1, 1]))
        var numbers: [Float] = [
            0, -0, .infinity, -.infinity, .nan, .greatestFiniteMagnitude, -.greatestFiniteMagnitude,
        ]
        numbers += (-12_000...12_000).map { Float($0) * 0.00127 }
        numbers += (0..<120).flatMap { [Float(sign: .plus, exponent: -$0, significand: 1.3), -1.7 / Float(1 + $0)] }
        let output = try LayerCalls.result([numbers.count, 1])
        try backend.perform(
            .linear(
                try LinearOperation(
                    input: try Tensor(numbers, shape: [numbers.count, 1]), weight: one, activation: activation,
                    output: output)), RunControl())
        var worst = 0.0
        for (x, found) in zip(numbers, try output.floats()) {
            let due = activation.value(Double(x))
            guard due.isFinite else {
                #expect(Double(found) == due || found.isNaN && due.isNaN, "\(activation)(\(x)) is \(found)")
                continue
            }
            let allowed = max(0x1p-24 * abs(Double(x)), 2 * Double(Float(due).ulp))
            worst = max(worst, x.isFinite ? abs(Double(found) - due) / allowed : Double(abs(found)))
        }
        #expect(worst <= 1, "\(set) \(activation): \(worst) of what is allowed")
    }
}
