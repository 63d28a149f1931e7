public import Attention

/// Attention in several subspaces at once, with learned projections: nn.MultiheadAttention, and more.
///
///     head_h = softmax(Q_h·K_hᵀ/√D)·V_h    with Q = query·W_qᵀ + b_q, K = key·W_kᵀ + b_k, V = value·W_vᵀ + b_v
///     output = concat(head_0, head_1, …)·W_oᵀ + b_o
///
/// An input that attends itself is projected by one matrix; queries, keys and values are then read where that step wrote them.
///
/// ```swift
/// let attention = try MultiHeadAttention(Parameters(source), .init(modelDimension: 512, heads: 8), device: device)
/// let output = try attention(input, mask: .causal)
/// ```
///
/// Beyond PyTorch: grouped heads, rotary positions, packed sequences, and a key-value cache. Source: Vaswani et al. 2017, arXiv
/// 1706.03762, section 3.2.2; grouped heads: Ainslie et al. 2023, arXiv 2305.13245.
public struct MultiHeadAttention: Sendable {
    /// What nn.MultiheadAttention takes when it is made, with its defaults.
    public struct Configuration: Hashable, Sendable {
        /// The width of queries and outputs, a multiple of ``heads``.
        public var modelDimension: Int
        public var heads: Int
        /// Each serves `heads / keyValueHeads` query heads.
        public var keyValueHeads: Int
        /// The width of keys before their projection (`kdim`).
        public var keyDimension: Int
        /// The width of values before their projection (`vdim`).
        public var valueDimension: Int
        public var hasBias: Bool
        /// A learned key and value after the others (`add_bias_kv`).
        public var addsLearnedKey: Bool
        /// A key and value of zeros after all others (`add_zero_attn`).
        public var addsZeroKey: Bool

        public init(
            modelDimension: Int, heads: Int, keyValueHeads: Int? = nil, keyDimension: Int? = nil,
            valueDimension: Int? = nil, hasBias: Bool = true, addsLearnedKey: Bool = false, addsZeroKey: Bool = false
        ) {
            self.modelDimension = modelDimension
            self.heads = heads
            self.keyValueHeads = keyValueHeads ?? heads
            self.keyDimension = keyDimension ?? modelDimension
            self.valueDimension = valueDimension ?? modelDimension
            self.hasBias = hasBias
            self.addsLearnedKey = addsLearnedKey
            self.addsZeroKey = addsZeroKey
        }

        public var headDimension: Int { modelDimension / max(heads, 1) }
        /// The width of projected keys, and of projected values. What does not fit 64 bits is refused by ``check()``, not here.
        public var keyValueWidth: Int { keyValueHeads &* headDimension }
        /// Whether one matrix projects queries, keys and values.
        var isPacked: Bool { keyDimension == modelDimension && valueDimension == modelDimension }

        /// - Throws: `AttentionError.invalid` for sizes that cannot be right.
        public func check() throws(AttentionError) {
            for (name, size) in [
                ("modelDimension", modelDimension), ("heads", heads), ("keyValueHeads", keyValueHeads),
                ("keyDimension", keyDimension), ("valueDimension", valueDimension),
            ] where size < 1 || size > 1 << 24 {
                throw .invalid(name, .value, expected: "1 … \(1 << 24)", found: "\(size)")
            }
            guard modelDimension.isMultiple(of: heads) else {
                throw .invalid("heads", .value, expected: "a divisor of \(modelDimension)", found: "\(heads)")
            }
            guard heads.isMultiple(of: keyValueHeads) else {
                throw .invalid("keyValueHeads", .value, expected: "a divisor of \(heads)", found: "\(keyValueHeads)")
            }
        }

        /// PyTorch's parameters.
        public var shapes: [ParameterShape] {
            let (width, small) = (modelDimension, keyValueWidth)
            var shapes: [ParameterShape] = []
            if isPacked {
                shapes = [ParameterShape("in_proj_weight", [width &+ 2 &* small, width])]
            } else {
                shapes = [
                    ParameterShape("q_proj_weight", [width, width]),
                    ParameterShape("k_proj_weight", [small, keyDimension]),
                    ParameterShape("v_proj_weight", [small, valueDimension]),
                ]
            }
            if hasBias { shapes.append(ParameterShape("in_proj_bias", [width &+ 2 &* small])) }
            if addsLearnedKey {
                shapes += [ParameterShape("bias_k", [1, 1, small]), ParameterShape("bias_v", [1, 1, small])]
            }
            return shapes + Linear.shapes(inputs: width, outputs: width, hasBias: hasBias).within("out_proj")
        }
    }

    public let configuration: Configuration
    public let device: Device
    /// Positions that queries and keys are turned by.
    public let rotary: RotaryPositions?
    let projection: QKVProjection
    let output: Linear
    /// Keys and values after the caller's, `[keyValueWidth]` each; `nil` is one of zeros.
    let addedKeys: [(key: Tensor, value: Tensor)?]

    /// - Parameters:
    ///   - parameters: as ``Configuration/shapes`` lists them.
    ///   - configuration: sizes and options.
    ///   - rotary: positions, for models that have them here.
    ///   - device: where to compute.
    /// - Throws: `AttentionError.invalid` for a configuration that cannot be right; what the source of the parameters throws.
    public init(
        _ parameters: Parameters, _ configuration: Configuration, rotary: RotaryPositions? = nil, device: Device
    ) throws {
        try configuration.check()
        projection = try QKVProjection(parameters, configuration, device)
        output = try Linear(
            parameters["out_proj"], inputs: configuration.modelDimension, outputs: configuration.modelDimension,
            hasBias: configuration.hasBias, device: device)
        var added: [(key: Tensor, value: Tensor)?] = []
        if configuration.addsLearnedKey {
            let shape = [1, 1, configuration.keyValueWidth]
            added.append(
                (
                    try device.parameter(try parameters.vector("bias_k", shape)),
                    try device.parameter(try parameters.vector("bias_v", shape))
                ))
        }
        if configuration.addsZeroKey { added.append(nil) }
        addedKeys = added
        self.configuration = configuration
        self.rotary = rotary
        self.device = device
    }

    /// Attends `key` and `value` with `query`, or an input with itself.
    ///
    /// - Parameters:
    ///   - query: `[batch, queries, modelDimension]`, or `[queries, modelDimension]` of one sequence or of packed ones.
    ///   - key: `[batch, keys, keyDimension]`; `nil` is the query.
    ///   - value: `[batch, keys, valueDimension]`; `nil` is the key.
    ///   - mask: which keys count.
    ///   - pass: memory, cancelling, and attention weights of a whole model.
    /// - Returns: shaped as the query.
    /// - Throws: `AttentionError.invalid` for shapes that do not fit; of the device.
    public func callAsFunction(
        _ query: Tensor, key: Tensor? = nil, value: Tensor? = nil, mask: MultiHeadMask = .none,
        pass: ForwardPass? = nil
    ) throws(AttentionError) -> Tensor {
        try result(query, key, value, mask, nil, pass ?? ForwardPass(device)).output
    }

    /// What ``attending(_:key:value:mask:weights:pass:)`` returns besides the output.
    public enum Weights: Hashable, Sendable {
        /// `[batch, heads, queries, keys]`.
        case perHead
        /// `[batch, queries, keys]`, the mean over the heads.
        case averaged
    }

    /// As a call, with the attention weights: softmax's results, of the added keys too.
    public func attending(
        _ query: Tensor, key: Tensor? = nil, value: Tensor? = nil, mask: MultiHeadMask = .none,
        weights: Weights = .averaged, pass: ForwardPass? = nil
    ) throws(AttentionError) -> (output: Tensor, weights: Tensor) {
        let pass = pass ?? ForwardPass(device)
        let (output, found) = try result(query, key, value, mask, weights, pass)
        guard let found else {
            throw .deviceFailed(device: device.description.name, detail: "it gave no attention weights")
        }
        return (output, found)
    }
}
