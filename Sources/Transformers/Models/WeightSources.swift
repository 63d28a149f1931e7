import Attention

/// Parameters whose matrices are brought to another type as they are read; vectors stay as they are.
struct ConvertedParameters: ParameterSource {
    let source: any ParameterSource
    let type: ElementType

    func tensor(_ name: String, shape: [Int]) throws -> Tensor {
        let tensor = try source.tensor(name, shape: shape)
        return shape.count == 2 ? try tensor.converted(to: type) : tensor
    }
}

/// BERT's parameters under the names of nn.TransformerEncoder, which the layers have: the projections of queries, keys and
/// values are put together as they are read.
struct BERTParameters: ParameterSource {
    /// By Hugging Face's names.
    let source: any ParameterSource

    /// Parts of a layer, with what Hugging Face calls them.
    private static let parts = [
        "self_attn.out_proj": "attention.output.dense", "norm1": "attention.output.LayerNorm",
        "linear1": "intermediate.dense", "linear2": "output.dense", "norm2": "output.LayerNorm",
    ]

    func tensor(_ name: String, shape: [Int]) throws -> Tensor {
        let pieces = name.split(separator: ".")
        guard pieces.count > 3, pieces[0] == "layers" else { return try source.tensor(name, shape: shape) }
        let layer = "encoder.layer.\(pieces[1])."
        let part = pieces[2..<pieces.count - 1].joined(separator: ".")
        let kind = pieces[pieces.count - 1]
        switch (part, kind) {
        case ("self_attn", "in_proj_weight"): return try joined(layer, "weight", shape)
        case ("self_attn", "in_proj_bias"): return try joined(layer, "bias", shape)
        default: return try source.tensor("\(layer)\(Self.parts[part] ?? part).\(kind)", shape: shape)
        }
    }

    private func joined(_ layer: String, _ kind: String, _ shape: [Int]) throws -> Tensor {
        let rows = shape[0] / 3
        var parts = try ["query", "key", "value"].map {
            try source.tensor("\(layer)attention.self.\($0).\(kind)", shape: [rows] + shape.dropFirst())
        }
        let type = parts[0].elementType
        if parts.contains(where: { $0.elementType != type }) {
            parts = try parts.map { try $0.converted(to: .float32) }
        }
        let result = try Tensor(uninitialized: shape, parts[0].elementType)
        for (index, part) in parts.enumerated() {
            try result.sliced(axis: 0, index * rows..<(index + 1) * rows).writeBytes(of: part)
        }
        return result
    }
}
