import Attention

/// Queries, keys and values of inputs.
struct QKVProjection: Sendable {
    private enum Matrices: Sendable {
        case packed(PackedProjection)
        case separate(query: Linear, key: Linear, value: Linear)
    }

    private let matrices: Matrices
    private let queryWidth: Int
    private let keyWidth: Int

    init(_ parameters: Parameters, _ configuration: MultiHeadAttention.Configuration, _ device: Device) throws {
        queryWidth = configuration.modelDimension
        keyWidth = configuration.keyValueWidth
        let total = queryWidth + 2 * keyWidth
        let bias = configuration.hasBias ? try parameters.vector("in_proj_bias", [total]) : nil
        if configuration.isPacked {
            let weight = try parameters.tensor("in_proj_weight", [total, queryWidth])
            matrices = .packed(try PackedProjection(weight: weight, bias: bias, device: device))
            return
        }
        func linear(_ name: String, _ inputs: Int, _ rows: Range<Int>) throws -> Linear {
            try Linear(
                weight: try parameters.tensor("\(name)_proj_weight", [rows.count, inputs]),
                bias: try bias?.sliced(axis: 0, rows), device: device)
        }
        matrices = .separate(
            query: try linear("q", queryWidth, 0..<queryWidth),
            key: try linear("k", configuration.keyDimension, queryWidth..<queryWidth + keyWidth),
            value: try linear("v", configuration.valueDimension, queryWidth + keyWidth..<total))
    }

    /// An input's queries, keys and values, views of one tensor where one matrix makes them.
    func all(_ input: Tensor, _ pass: ForwardPass) throws(AttentionError) -> (query: Tensor, key: Tensor, value: Tensor)
    {
        switch matrices {
        case .packed(let packed):
            let made = try packed(input, rows: 0..<queryWidth + 2 * keyWidth, pass)
            return (
                try made.columns(0..<queryWidth), try made.columns(queryWidth..<queryWidth + keyWidth),
                try made.columns(queryWidth + keyWidth..<queryWidth + 2 * keyWidth)
            )
        case .separate(let query, let key, let value):
            return (try query(input, pass: pass), try key(input, pass: pass), try value(input, pass: pass))
        }
    }

    func query(_ input: Tensor, _ pass: ForwardPass) throws(AttentionError) -> Tensor {
        switch matrices {
        case .packed(let packed): try packed(input, rows: 0..<queryWidth, pass)
        case .separate(let query, _, _): try query(input, pass: pass)
        }
    }

    /// Keys and values; of one input if `value` is `nil`.
    func keys(
        _ key: Tensor, _ value: Tensor?, _ pass: ForwardPass
    ) throws(AttentionError) -> (key: Tensor, value: Tensor) {
        let middle = queryWidth + keyWidth
        switch matrices {
        case .packed(let packed):
            if let value {
                return (
                    try packed(key, rows: queryWidth..<middle, pass),
                    try packed(value, rows: middle..<middle + keyWidth, pass)
                )
            }
            let made = try packed(key, rows: queryWidth..<middle + keyWidth, pass)
            return (try made.columns(0..<keyWidth), try made.columns(keyWidth..<2 * keyWidth))
        case .separate(_, let keys, let values):
            return (try keys(key, pass: pass), try values(value ?? key, pass: pass))
        }
    }
}

extension Tensor {
    /// Some of each row.
    func columns(_ range: Range<Int>) throws(AttentionError) -> Tensor { try sliced(axis: rank - 1, range) }
}
