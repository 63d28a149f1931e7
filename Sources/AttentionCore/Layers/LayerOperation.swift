/// One step of a layer, on tensors that lie where it is computed. Each is checked when it is made.
///
/// Activations are `float32`; weights and tables may be `float16` or `bfloat16` as well. Arithmetic is never below `float32`.
public enum LayerOperation: Sendable {
    case linear(LinearOperation)
    case normalization(NormalizationOperation)
    case embedding(EmbeddingOperation)
    case additiveAttention(AdditiveAttentionOperation)
    case rotary(RotaryOperation)
    case selection(SelectionOperation)
    case pooling(PoolingOperation)
    case copy(CopyOperation)

    /// Its name in messages, and that of its kernel.
    public var name: String {
        switch self {
        case .linear: "linear"
        case .normalization: "layer_norm"
        case .embedding: "embedding"
        case .additiveAttention: "additive"
        case .rotary: "rotary"
        case .selection: "select"
        case .pooling: "pool"
        case .copy: "copy"
        }
    }

    /// The same step on other tensors of the same shapes: `input` stands for each operand that is read, `output` for each that is
    /// written. Strides may differ.
    public func mapped(
        input: (Tensor) throws(AttentionError) -> Tensor, output: (Tensor) throws(AttentionError) -> Tensor
    ) throws(AttentionError) -> LayerOperation {
        switch self {
        case .linear(let operation): .linear(try operation.mapped(input, output))
        case .normalization(let operation): .normalization(try operation.mapped(input, output))
        case .embedding(let operation): .embedding(try operation.mapped(input, output))
        case .additiveAttention(let operation): .additiveAttention(try operation.mapped(input, output))
        case .rotary(let operation): .rotary(try operation.mapped(input, output))
        case .selection(let operation): .selection(try operation.mapped(input, output))
        case .pooling(let operation): .pooling(try operation.mapped(input, output))
        case .copy(let operation): .copy(try operation.mapped(input, output))
        }
    }
}

/// A weight matrix as a backend wants it, made once and used by many calls.
///
/// A backend that is given another's prepares the source anew for the call.
public protocol PreparedWeight: AnyObject, Sendable {
    /// `[outputs, inputs]` in host memory, as it was given.
    var source: Tensor { get }
}

/// A weight matrix as it is: for backends that want it no other way.
public final class PlainWeight: PreparedWeight {
    public let source: Tensor

    /// - Throws: As ``LinearOperation/checkWeight(_:)``.
    public init(_ source: Tensor) throws(AttentionError) {
        try LinearOperation.checkWeight(source)
        self.source = source
    }
}

extension Tensor {
    /// What a layer may take as weights or tables.
    static let weightTypes: [ElementType] = [.float32, .float16, .bfloat16]
}
