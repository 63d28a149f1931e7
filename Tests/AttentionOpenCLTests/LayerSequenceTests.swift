import AttentionCore
import Locking
import OpenCLRuntime
import TestSupport
import Testing

@_spi(Testing) @testable import AttentionOpenCL

/// Calls that are enqueued one after another, and waited for once.
@Suite(.serialized) struct LayerSequenceTests {
    /// Some blocks of a Transformer in small, in the device's memory: what a step makes is let go as soon as it is read.
    private struct Network {
        static let (rows, width, heads) = (24, 48, 4)
        let backend: OpenCLBackend
        let input: Tensor
        let wide: any PreparedWeight
        let narrow: any PreparedWeight
        let bias: Tensor

        init(_ backend: OpenCLBackend) throws {
            self.backend = backend
            input = try LayerMachine.far(try Machine.numbers([Self.rows, Self.width], 1), backend)
            wide = try backend.prepare(weight: try Machine.numbers([3 * Self.width, Self.width], 2, .float16))
            narrow = try backend.prepare(weight: try Machine.numbers([Self.width, 3 * Self.width], 3, .bfloat16))
            // In host memory, read by every block.
            bias = try Machine.numbers([3 * Self.width], 4)
        }

        func made(_ shape: [Int]) throws(AttentionError) -> Tensor {
            let storage = try backend.makeStorage(byteCount: shape.reduce(4, *))
            return try Tensor(storage: storage, layout: try TensorLayout(contiguous: shape), elementType: .float32)
        }

        private func perform(_ operation: LayerOperation) throws(AttentionError) {
            try backend.perform(operation, RunControl())
        }

        /// Attention of rows over themselves, through a plan.
        private func attended(_ x: Tensor) throws(AttentionError) -> Tensor {
            let shape = [1, Self.rows, Self.heads, Self.width / Self.heads]
            let view = try Tensor(
                storage: x.storage, layout: try TensorLayout(contiguous: shape), elementType: .float32
            ).permuted([0, 2, 1, 3])
            let inputs = AttentionInputs(query: view, key: view, value: view, mask: .causal)
            let problem = try AttentionProblem(inputs)
            let output = try made([Self.rows, Self.width])
            let outputs = AttentionOutputs(
                output: try Tensor(
                    storage: output.storage, layout: try TensorLayout(contiguous: shape), elementType: .float32
                ).permuted([0, 2, 1, 3]))
            _ = try backend.plan(problem, PlanPolicy(family: backend.layerFamily)).run(
                problem, inputs, outputs, RunControl())
            return output
        }

        /// - Parameter look: what happens to the rows after each block.
        func run(
            blocks: Int, _ look: (Tensor) throws(AttentionError) -> Void = { (_) throws(AttentionError) in }
        ) throws(AttentionError) -> Tensor {
            var x = input
            for _ in 0..<blocks {
                let normal = try made([Self.rows, Self.width])
                try perform(.normalization(try NormalizationOperation(input: x, output: normal)))
                let attended = try attended(normal)
                let inner = try made([Self.rows, 3 * Self.width])
                try perform(
                    .linear(
                        try LinearOperation(input: attended, weight: wide, bias: bias, activation: .gelu, output: inner)
                    ))
                let next = try made([Self.rows, Self.width])
                try perform(.linear(try LinearOperation(input: inner, weight: narrow, residual: x, output: next)))
                x = next
                try look(x)
            }
            return x
        }
    }

    @Test(arguments: LayerMachine.choices) func givesTheSameBits(_ choice: LayerMachine.Choice) throws {
        let network = try Network(try choice.backend())
        let expected = try network.run(blocks: 6).contiguousBytes()
        for _ in 0..<5 {
            let output = try network.backend.sequence { () throws(AttentionError) in try network.run(blocks: 6) }
            #expect(try output.contiguousBytes() == expected)
        }
        let nested = try network.backend.sequence { () throws(AttentionError) in
            try network.backend.sequence { () throws(AttentionError) in try network.run(blocks: 6) }
        }
        #expect(try nested.contiguousBytes() == expected)
    }

    /// Downloads, results in host memory and measured calls come at their place in the order.
    @Test(arguments: LayerMachine.choices) func theHostReadsInTheMiddle(_ choice: LayerMachine.Choice) throws {
        let network = try Network(try choice.backend())
        func seen() throws(AttentionError) -> [[UInt8]] {
            var all: [[UInt8]] = []
            _ = try network.run(blocks: 4) { (x) throws(AttentionError) in
                let near = try Tensor(zeros: x.shape, elementType: .float32)
                try network.backend.perform(.copy(try CopyOperation(source: x, target: near)), RunControl())
                let measured = try network.made(x.shape)
                let control = RunControl(isProfiled: true)
                try network.backend.perform(.copy(try CopyOperation(source: x, target: measured)), control)
                all += [try near.contiguousBytes(), try x.contiguousBytes(), try measured.contiguousBytes()]
                // Written over while the sequence goes on, and back again.
                let kept = try x.contiguousBytes()
                try x.write([Double](repeating: .nan, count: x.count))
                try x.writeBytes(of: try Tensor(bytes: kept, shape: x.shape, elementType: .float32))
            }
            return all
        }
        let expected = try seen()
        #expect(try network.backend.sequence(seen) == expected)
        #expect(expected.count == 12 && expected[0] == expected[1] && expected[1] == expected[2])
    }

    /// A device that has so much to do that what follows waits for it.
    private struct Busy {
        let backend: OpenCLBackend
        let source: Tensor
        let target: Tensor

        init(_ backend: OpenCLBackend) throws {
            self.backend = backend
            source = try Self.made(4 << 20, backend)
            target = try Self.made(4 << 20, backend)
        }

        static func made(_ count: Int, _ backend: OpenCLBackend) throws(AttentionError) -> Tensor {
            let storage = try backend.makeStorage(byteCount: 4 * count)
            return try Tensor(storage: storage, layout: try TensorLayout(contiguous: [count]), elementType: .float32)
        }

        func copy(_ source: Tensor, _ target: Tensor) throws(AttentionError) {
            try backend.perform(.copy(try CopyOperation(source: source, target: target)), RunControl())
        }

        func begin() throws(AttentionError) { try copy(source, target) }
    }

    /// Host memory that a call read may change as soon as it has returned.
    @Test(arguments: LayerMachine.choices) func hostOperandsMayChangeAfterTheCall(_ choice: LayerMachine.Choice) throws
    {
        let busy = try Busy(try choice.backend())
        for count in [1000, 200_000] {
            let kept = try Machine.numbers([count], 1)
            let source = try Tensor(uninitialized: [count])
            let outputs = try busy.backend.sequence { () throws(AttentionError) in
                var outputs: [Tensor] = []
                for _ in 0..<4 {
                    try source.writeBytes(of: kept)
                    try busy.begin()
                    let output = try Busy.made(count, busy.backend)
                    try busy.copy(source, output)
                    source.storage.hostBytes?.initializeMemory(as: UInt8.self, repeating: 0xFF)
                    outputs.append(output)
                }
                return outputs
            }
            for output in outputs { #expect(try output.contiguousBytes() == kept.contiguousBytes()) }
        }
    }

    /// Drivers keep the memory that enqueued commands use when its last reference goes away.
    @Test(arguments: LayerMachine.choices) func memoryThatIsLetGoIsStillRead(_ choice: LayerMachine.Choice) throws {
        let busy = try Busy(try choice.backend())
        for count in [1000, 20_000, 600_000] {
            let source = try LayerMachine.far(try Machine.numbers([count], 1), busy.backend)
            let output = try Busy.made(count, busy.backend)
            let others = try busy.backend.sequence { () throws(AttentionError) in
                try busy.begin()
                do {
                    let passing = try Busy.made(count, busy.backend)
                    try busy.copy(source, passing)
                    try busy.copy(passing, output)
                }
                // What would come in its place.
                var others: [HostStorage] = []
                for _ in 0..<8 {
                    let storage = try HostStorage(byteCount: 4 * count)
                    storage.hostBytes?.initializeMemory(as: UInt8.self, repeating: 0xFF)
                    others.append(storage)
                }
                return others
            }
            #expect(try output.contiguousBytes() == source.contiguousBytes(), "\(choice.testDescription), \(count)")
            for storage in others { #expect(storage.hostBytes?.allSatisfy { $0 == 0xFF } == true) }
        }
    }

    @Test(arguments: LayerMachine.choices) func errorsInsideEndIt(_ choice: LayerMachine.Choice) throws {
        let network = try Network(try choice.backend())
        let expected = try network.run(blocks: 2).contiguousBytes()
        #expect(throws: AttentionError.cancelled) {
            try network.backend.sequence { () throws(AttentionError) in
                _ = try network.run(blocks: 2)
                throw AttentionError.cancelled
            }
        }
        // A call that fails in the middle, and is known to have.
        let output = try network.backend.sequence { () throws(AttentionError) in
            let output = try network.run(blocks: 1)
            let control = RunControl()
            control.cancel()
            do throws(AttentionError) {
                try network.backend.perform(.copy(try CopyOperation(source: nil, target: output)), control)
            } catch { #expect(error == .cancelled) }
            return try network.run(blocks: 2)
        }
        #expect(try output.contiguousBytes() == expected)
    }

    /// Two threads, each with a sequence of its own, and one that has none.
    @Test(arguments: LayerMachine.choices) func threadsHaveTheirOwn(_ choice: LayerMachine.Choice) async throws {
        let backend = try choice.backend()
        let expected = try Network(backend).run(blocks: 3).contiguousBytes()
        let outputs = try await withThrowingTaskGroup(of: [UInt8].self) { group in
            for index in 0..<6 {
                group.addTask {
                    let network = try Network(backend)
                    guard index % 3 != 2 else { return try network.run(blocks: 3).contiguousBytes() }
                    return try backend.sequence { () throws(AttentionError) in try network.run(blocks: 3) }
                        .contiguousBytes()
                }
            }
            return try await group.reduce(into: [[UInt8]]()) { $0.append($1) }
        }
        #expect(outputs.allSatisfy { $0 == expected })
    }

    /// What a command ends with comes out when it is waited for, and the device goes on working.
    @Test(.enabled(if: FaultyLoader.absence == nil, "no C compiler on this machine"))
    func failuresOfCommandsComeOut() throws {
        let loader = try FaultyLoader()
        let library = try OpenCLLibrary.open(path: loader.path)
        let wide = try OpenCLDiscovery.platforms(of: library).indices.lazy.flatMap {
            (try? OpenCLDiscovery.candidates(platform: $0, of: library)) ?? []
        }.first { $0.unsuitableReason == nil && $0.family == "wide" }
        guard let wide else { return }
        let network = try Network(try wide.makeBackend())
        let expected = try network.run(blocks: 2).contiguousBytes()
        for call in [1, 3, 8] {
            loader.arm(FaultyLoader.event, call: call, status: -5)
            #expect("launch \(call)") {
                try network.backend.sequence { () throws(AttentionError) in _ = try network.run(blocks: 2) }
            } throws: { error in
                guard case .deviceFailed? = error as? AttentionError else { return false }
                return true
            }
            #expect(loader.disarm() == 1)
            let output = try network.backend.sequence { () throws(AttentionError) in try network.run(blocks: 2) }
            #expect(try output.contiguousBytes() == expected)
        }
    }
}
