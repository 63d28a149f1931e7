import Attention
import TensorFiles
import Testing

@testable import Transformers

/// Layer files that cannot be right: each is refused with its name and that of the tensor or key.
@Suite struct BadLayerFileTests {
    static let config = #"{"type": "nn.MultiheadAttention", "embed_dim": 4, "num_heads": 2, "batch_first": true}"#

    static func numbers(_ name: String, _ shape: [Int], _ type: TensorFileElementType = .float32) -> TensorFileTensor {
        let count = shape.reduce(type.byteCount, *)
        return TensorFileTensor(name: name, elementType: type, shape: shape, bytes: [UInt8](repeating: 0, count: count))
    }

    static var tensors: [TensorFileTensor] {
        [
            numbers("weights.in_proj_weight", [12, 4]), numbers("weights.in_proj_bias", [12]),
            numbers("weights.out_proj.weight", [4, 4]), numbers("weights.out_proj.bias", [4]),
            numbers("inputs.query", [1, 3, 4]), numbers("outputs.output", [1, 3, 4]),
        ]
    }

    static func run(_ config: String?, _ tensors: [TensorFileTensor]) throws -> [String: Tensor] {
        let bytes = try TensorFile.encoded(tensors, metadata: config.map { ["config": $0] } ?? [:])
        return try LayerFile(TensorFile(bytes: bytes, name: "layer.safetensors")).run(on: .reference)
    }

    @Test func theFileItselfIsRight() throws {
        let found = try Self.run(Self.config, Self.tensors)
        #expect(found["output"]?.shape == [1, 3, 4] && found["weights"]?.shape == [1, 2, 3, 3])
    }

    @Test func keysThatSayNothingHereAreIgnored() throws {
        let config = String(Self.config.dropLast()) + #", "author": "somebody"}"#
        #expect(try Self.run(config, Self.tensors)["output"]?.shape == [1, 3, 4])
    }

    @Test(arguments: [
        nil, "", "[]", "{}", #"{"type": 3}"#, #"{"type": "nn.LSTM"}"#, #"{"type": "nn.MultiheadAttention"}"#,
        #"{"type": "nn.MultiheadAttention", "embed_dim": 4, "num_heads": 3}"#,
        #"{"type": "nn.MultiheadAttention", "embed_dim": 4, "num_heads": 0}"#,
        #"{"type": "nn.MultiheadAttention", "embed_dim": 4, "num_heads": "2"}"#,
        #"{"type": "nn.MultiheadAttention", "embed_dim": 9223372036854775807, "num_heads": 1}"#,
        #"{"type": "nn.MultiheadAttention", "embed_dim": 16777216, "num_heads": 1}"#,
        #"{"type": "nn.MultiheadAttention", "embed_dim": 4, "num_heads": 2, "bias": false}"#,
        #"{"type": "nn.MultiheadAttention", "embed_dim": 4, "num_heads": 2, "kdim": 3}"#,
        #"{"type": "nn.Transformer", "d_model": 4, "nhead": 2}"#, #"{"type": "additive", "form": "luong"}"#,
        #"{"type": "memory-network", "hops": 2}"#,
    ])
    func configurations(config: String?) {
        let error = refusal { _ = try Self.run(config, Self.tensors) }
        #expect(error?.file == "layer.safetensors")
    }

    /// Each tensor in turn is left out, of another shape, or of another type.
    @Test(arguments: 0..<5) func tensors(index: Int) {
        let name = Self.tensors[index].name
        var without = Self.tensors
        without.remove(at: index)
        #expect(refusal { _ = try Self.run(Self.config, without) }?.description.contains(name) == true)
        for (shape, type) in [
            ([2, 2], TensorFileElementType.float32), ([4], .int32), ([], .float32), ([1, 1, 1, 1, 1], .float32),
            (Self.tensors[index].shape, .uint8), ([1, 0, 5], .float32),
        ] {
            var other = Self.tensors
            other[index] = Self.numbers(name, shape, type)
            let error = refusal { _ = try Self.run(Self.config, other) }
            #expect(error?.file == "layer.safetensors", "\(name) \(shape) of \(type)")
        }
    }

    /// No bytes, but a list of lengths that no memory holds, or hops without an end.
    @Test(arguments: [
        (#"{"type": "additive", "form": "keras"}"#, ["query", "key", "value"], [1 << 57, 0, 4]),
        (#"{"type": "memory-network"}"#, ["input_memory", "output_memory"], [1 << 40, 0, 3, 4]),
    ])
    func extentsOfEmptyTensors(config: String, names: [String], shape: [Int]) {
        let empty = names.map {
            TensorFileTensor(name: "inputs.\($0)", elementType: .float32, shape: shape, bytes: [])
        }
        let others = shape.count == 3 ? Self.numbers("inputs.scale", [4]) : Self.numbers("inputs.query", [0, 4])
        let error = refusal { _ = try Self.run(config, empty + [others]) }
        #expect(error?.description.contains("inputs.\(names[0])") == true)
    }

    @Test(arguments: ["foo", "inputs.foo", "weights.foo", "outputs.foo", "inputs.tgt"]) func unknownTensors(
        name: String
    ) {
        let error = refusal { _ = try Self.run(Self.config, Self.tensors + [Self.numbers(name, [1])]) }
        #expect(error?.extra == [name])
    }

    @Test func masks() {
        for (name, shape, type) in [
            ("inputs.key_padding_mask", [1, 4], TensorFileElementType.bool), ("inputs.key_padding_mask", [3], .bool),
            ("inputs.key_padding_mask", [1, 3], .int32), ("inputs.attn_mask", [3, 4], .bool),
            ("inputs.attn_mask", [3, 3, 3], .bool), ("inputs.key", [2, 3, 4], .float32),
            ("inputs.value", [1, 4, 4], .float32),
        ] {
            let error = refusal { _ = try Self.run(Self.config, Self.tensors + [Self.numbers(name, shape, type)]) }
            #expect(error != nil, "\(name) \(shape) of \(type)")
        }
        let odd = TensorFileTensor(
            name: "inputs.key_padding_mask", elementType: .bool, shape: [1, 3], bytes: [0, 1, 2])
        #expect(refusal { _ = try Self.run(Self.config, Self.tensors + [odd]) } != nil)
    }

    /// The batch in the second place, where PyTorch has it unless told otherwise, and none at all.
    @Test func batchOrder() throws {
        let values = (0..<24).map { Float($0 % 7) / 7 }
        func bytes(_ values: [Float]) -> [UInt8] { values.withUnsafeBytes { Array($0) } }
        var tensors = Self.tensors
        for (index, tensor) in tensors.enumerated() where tensor.name.utf8.starts(with: "weights".utf8) {
            let count = tensor.bytes.count / 4
            tensors[index].bytes = bytes((0..<count).map { Float(($0 * 5 + index) % 11) / 11 - 0.5 })
        }
        func query(_ values: [Float], _ shape: [Int]) -> [TensorFileTensor] {
            tensors.filter { $0.name.utf8.starts(with: "weights".utf8) }
                + [TensorFileTensor(name: "inputs.query", elementType: .float32, shape: shape, bytes: bytes(values))]
        }
        let first = try Self.run(Self.config, query(values, [2, 3, 4]))
        let swapped = (0..<24).map { index -> Float in
            let (row, entry) = (index / 8, index / 4 % 2)
            return values[(entry * 3 + row) * 4 + index % 4]
        }
        let second = try Self.run(
            Self.config.replacing(", \"batch_first\": true", with: ""), query(swapped, [3, 2, 4]))
        let output = try #require(first["output"])
        try expectClose(try #require(second["output"]), try output.permuted([1, 0, 2]), 1e-6, "batch second")
        let alone = try Self.run(Self.config, query(Array(values.prefix(12)), [3, 4]))
        try expectClose(try #require(alone["output"]), try output.entry(0), 1e-6, "no batch")
        #expect(alone["weights"]?.shape == [2, 3, 3])
    }
}
