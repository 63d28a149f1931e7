public import Attention

/// An end-to-end memory network: a question that looks into memory several times, each time with what it found before.
///
///     p = softmax(u · m_i),   u ← H·u + Σ_i p_i · c_i        for each hop
///
/// `m` are the memories as they are matched (the input memory), `c` as they are read (the output memory). Source: Sukhbaatar et
/// al. 2015, arXiv 1503.08895, section 2.2.
public struct MemoryNetwork: Sendable {
    public let device: Device
    private let hop: Linear?
    private let attention: DotProductAttention

    /// - Parameters:
    ///   - hopWeight: `H`, `[dimension, dimension]`; `nil` is the identity.
    ///   - device: where to compute.
    public init(hopWeight: Tensor? = nil, device: Device) throws(AttentionError) {
        if let hopWeight, hopWeight.rank != 2 || hopWeight.shape[0] != hopWeight.shape[1] {
            throw .invalid("hopWeight", .shape, expected: "a square matrix", found: "\(hopWeight.shape)")
        }
        hop = try hopWeight.map { (weight) throws(AttentionError) in try Linear(weight: weight, device: device) }
        attention = DotProductAttention(device: device)
        self.device = device
    }

    /// - Parameters:
    ///   - query: `[batch, dimension]`.
    ///   - inputMemory: `[hops, batch, memories, dimension]`.
    ///   - outputMemory: shaped as the input memory.
    ///   - memoryLengths: how many memories of each batch entry are real.
    ///   - pass: memory, cancelling, and attention weights of a whole model; `nil` makes one.
    /// - Returns: the output `[batch, dimension]`, and the probabilities `[hops, batch, memories]`.
    public func callAsFunction(
        _ query: Tensor, inputMemory: Tensor, outputMemory: Tensor, memoryLengths: [Int]? = nil,
        pass: ForwardPass? = nil
    ) throws(AttentionError) -> (output: Tensor, probabilities: Tensor) {
        guard query.rank == 2, inputMemory.rank == 4 else {
            throw .invalid(
                "query, inputMemory", .rank, expected: "[batch, dimension], [hops, batch, memories, dimension]",
                found: "\(query.shape), \(inputMemory.shape)")
        }
        let shape = inputMemory.shape
        let (hops, batch, memories) = (shape[0], shape[1], shape[2])
        guard query.shape == [batch, shape[3]] else {
            throw .invalid("query", .shape, expected: "[\(batch), \(shape[3])]", found: "\(query.shape)")
        }
        guard outputMemory.shape == shape else {
            throw .invalid("outputMemory", .shape, expected: "\(shape)", found: "\(outputMemory.shape)")
        }
        let pass = pass ?? ForwardPass(device)
        let probabilities = try pass.tensor([hops, batch, memories])
        var state = query
        for index in 0..<(batch == 0 ? 0 : hops) {
            let rows = try state.viewed(
                shape: [batch, 1, shape[3]], strides: [state.strides[0], 0, state.strides[1]],
                offset: state.layout.offset)
            let found = try attention.attending(
                rows, key: try inputMemory.entry(index), value: try outputMemory.entry(index),
                keyLengths: memoryLengths, pass: pass)
            let target = try probabilities.entry(index)
            if target.count > 0 {
                let weights = try found.weights.reshaped(target.shape)
                try pass.perform(.copy(CopyOperation(source: weights, target: target)))
            }
            let read = try found.output.reshaped([batch, shape[3]])
            if let hop {
                state = try hop(state, residual: read, pass: pass)
            } else {
                state = try pass.sum(state, read)
            }
        }
        return (state, probabilities)
    }
}

extension Tensor {
    /// One entry of the first dimension.
    func entry(_ index: Int) throws(AttentionError) -> Tensor {
        let part = try sliced(axis: 0, index..<index + 1)
        return try part.viewed(
            shape: Array(shape.dropFirst()), strides: Array(strides.dropFirst()), offset: part.layout.offset)
    }
}
