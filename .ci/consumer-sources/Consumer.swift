import Attention

/// What a stranger writes: three tensors in, one out.
public func averages(of values: [Float]) throws -> [Float] {
    // Queries of zeros weigh all keys alike.
    let query = try Tensor([Float](repeating: 0, count: 2), shape: [1, 1, 1, 2])
    let key = try Tensor(values, shape: [1, 1, values.count / 2, 2])
    return try attention(query: query, key: key, value: key).floats()
}
