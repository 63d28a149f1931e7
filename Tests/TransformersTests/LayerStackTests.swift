import Attention
import Testing

@testable import Transformers

@Suite struct LayerStackTests {
    static let seed: UInt64 = 733

    static func configuration(_ isNormFirst: Bool, _ hasBias: Bool) -> LayerConfiguration {
        LayerConfiguration(
            modelDimension: 16, heads: 4, hiddenDimension: 40, activation: .gelu, isNormFirst: isNormFirst,
            hasBias: hasBias)
    }

    static let source = Parameters(RandomParameters(seed: seed, spread: 0.2))

    /// Layers called one by one give what the stack gives, whose steps reach from one layer into the next.
    @Test(arguments: Devices.all, [(false, true), (true, true), (true, false), (false, false)])
    func layersEqualStack(device: Device, kind: (isNormFirst: Bool, hasBias: Bool)) throws {
        let configuration = Self.configuration(kind.isNormFirst, kind.hasBias)
        let input = try numbers([2, 5, 16], Self.seed, on: device)
        for hasFinalNorm in [false, true] {
            let encoder = try Encoder(
                Self.source["encoder"], configuration, count: 3, hasFinalNorm: hasFinalNorm, device: device)
            var rows = input
            for layer in encoder.layers { rows = try layer(rows, mask: .init(keyLengths: [5, 3])) }
            rows = try encoder.norm?(rows) ?? rows
            try expectClose(try encoder(input, mask: .init(keyLengths: [5, 3])), rows, 5e-6, "encoder")

            let decoder = try Decoder(
                Self.source["decoder"], configuration, count: 3, hasFinalNorm: hasFinalNorm, device: device)
            let memory = try numbers([2, 7, 16], Self.seed + 1, on: device)
            rows = input
            for layer in decoder.layers {
                rows = try layer(rows, memory: memory, memoryMask: .init(keyLengths: [4, 7]))
            }
            rows = try decoder.norm?(rows) ?? rows
            try expectClose(
                try decoder(input, memory: memory, memoryMask: .init(keyLengths: [4, 7])), rows, 5e-6, "decoder")
        }
    }

    /// A pre-norm layer by its formula, of parts that are tested elsewhere.
    @Test(arguments: Devices.all) func preNormFormula(device: Device) throws {
        let layer = try EncoderLayer(Self.source, Self.configuration(true, true), device: device)
        let input = try numbers([1, 4, 16], Self.seed + 2, on: device)
        func sum(_ a: Tensor, _ b: Tensor) throws -> Tensor {
            try device.tensor(zip(try a.doubles(), try b.doubles()).map { $0 + $1 }, shape: a.shape)
        }
        let first = try sum(input, try layer.attention(try layer.norms[0](input)))
        let second = try sum(first, try layer.feedForward(try layer.norms[1](first)))
        try expectClose(try layer(input), second, 5e-6, "pre-norm")
    }

    /// Attention weights of each layer, in order, without changing the result.
    @Test(arguments: Devices.all) func weightsOnRequest(device: Device) throws {
        let configuration = Self.configuration(false, true)
        let decoder = try Decoder(Self.source["decoder"], configuration, count: 2, device: device)
        let target = try numbers([1, 3, 16], Self.seed + 3, on: device)
        let memory = try numbers([1, 6, 16], Self.seed + 4, on: device)
        let pass = ForwardPass(device, keepsAttention: true)
        let found = try decoder(target, memory: memory, pass: pass)
        try expectClose(found, try decoder(target, memory: memory), 2e-6, "result")
        #expect(pass.attention.map(\.part) == [.decoder, .cross, .decoder, .cross])
        #expect(pass.attention.map(\.layer) == [0, 0, 1, 1])
        #expect(pass.attention.map(\.weights.shape) == [[1, 4, 3, 3], [1, 4, 3, 6], [1, 4, 3, 3], [1, 4, 3, 6]])
        // Causal: nothing above the diagonal.
        let weights = try pass.attention[0].weights.doubles()
        for head in 0..<4 { #expect(weights[head * 9 + 1] == 0 && weights[head * 9 + 2] == 0) }
    }

    /// Memory is used again only when nobody has it any more.
    @Test func workspace() throws {
        let workspace = Workspace(.reference)
        let held = try workspace.tensor([4])
        for index in 0..<4 { try held.sliced(axis: 0, index..<index + 1).write([Double(index)]) }
        func address(_ tensor: Tensor) -> UInt { UInt(bitPattern: tensor.storage.hostBytes?.baseAddress) }
        var given: Tensor? = try workspace.tensor([4])
        let first = try address(#require(given))
        #expect(first != address(held))
        // A view keeps it.
        var view = try given?.sliced(axis: 0, 1..<2)
        given = nil
        #expect(try address(workspace.tensor([4])) != first)
        #expect(try address(#require(view)) == first)
        view = nil
        let again = [try workspace.tensor([3]), try workspace.tensor([4])]
        #expect(again.map(address).contains(first))
        #expect(Set(again.map(address)).count == 2)
        #expect(try address(workspace.tensor([1])) != address(held))
        #expect(try held.doubles() == [0, 1, 2, 3])
    }

    @Test(arguments: Devices.all) func activationsAndResidual(device: Device) throws {
        let weight = try numbers([5, 3], 1, on: .reference)
        let bias = try numbers([5], 2, on: .reference)
        let linear = try Linear(weight: weight, bias: bias, device: device)
        let (input, residual) = (try numbers([2, 3], 3, on: device), try numbers([2, 5], 4, on: device))
        let (w, b, x, r) = (try weight.doubles(), try bias.doubles(), try input.doubles(), try residual.doubles())
        let expected = (0..<10).map { index in
            let (row, column) = (index / 5, index % 5)
            let sum = (0..<3).reduce(b[column]) { $0 + x[row * 3 + $1] * w[column * 3 + $1] }
            return max(sum, 0) + r[index]
        }
        let found = try linear(input, activation: .relu, residual: residual)
        try expectClose(found, try Tensor(expected, shape: [2, 5]), 1e-6, "linear")
        let rms = try RMSNorm(Parameters(ParameterTable(["weight": bias])), dimension: 5, epsilon: 0, device: device)
        let scaled = (0..<10).map { index in
            let row = r[index / 5 * 5..<index / 5 * 5 + 5]
            return r[index] / (row.reduce(0) { $0 + $1 * $1 } / 5).squareRoot() * b[index % 5]
        }
        try expectClose(try rms(residual), try Tensor(scaled, shape: [2, 5]), 1e-6, "rms")
    }

    @Test(arguments: Devices.all) func embeddings(device: Device) throws {
        let table = try numbers([6, 4], 5, on: .reference)
        let embedding = try Embedding(table: table, scale: 2, device: device)
        let positions = try Embedding.sinusoidal(positions: 3, dimension: 4, device: device)
        let found = try embedding([5, 0, 5], adding: [(positions, [0, 1, 2])])
        let values = try table.doubles()
        let expected = [5, 0, 5].enumerated().flatMap { place, token in
            (0..<4).map { column -> Double in
                let angle = Double(place) / power(10000, Double(column / 2 * 2) / 4)
                return 2 * values[token * 4 + column] + (column % 2 == 0 ? sine(angle) : cosine(angle))
            }
        }
        try expectClose(found, try Tensor(expected, shape: [3, 4]), 1e-6, "embedding")
        #expect(throws: AttentionError.self) { _ = try embedding([6]) }
        #expect(throws: AttentionError.self) { _ = try embedding([-1]) }
    }
}
