public import Attention
public import TensorFiles

/// One layer with its weights and inputs in a .safetensors file: what `attend layer` runs.
///
/// The metadata's `config` is JSON, of which `type` chooses: `nn.MultiheadAttention`, `nn.Transformer`, `additive` or
/// `memory-network`. Tensors are `weights.…` by PyTorch's parameter names, `inputs.…`, and `outputs.…` to compare with.
///
/// Keys of the configuration that are no argument of a constructor say nothing here and are ignored.
///
/// ```swift
/// let file = try LayerFile(TensorFile(path: "mha.safetensors"))
/// let outputs = try file.run(on: device)                        // ["output": …, "weights": …]
/// ```
public struct LayerFile: Sendable {
    /// What `type` said.
    public let type: String
    /// The names of the results, without `outputs.`.
    public var outputs: [String] { kind.outputs }

    let file: TensorFile
    let config: JSONReader
    private let kind: Kind

    enum Kind: String, CaseIterable {
        case multiHead = "nn.MultiheadAttention"
        case transformer = "nn.Transformer"
        case additive
        case memoryNetwork = "memory-network"

        var outputs: [String] {
            switch self {
            case .multiHead: ["output", "weights"]
            case .transformer: ["memory", "output"]
            case .additive, .memoryNetwork: ["output", "probabilities"]
            }
        }
    }

    /// Reads the configuration.
    ///
    /// - Throws: ``CheckpointError`` for metadata that is no such configuration, or of a type that is not known.
    public init(_ file: TensorFile) throws(CheckpointError) {
        self.file = file
        guard let text = file.metadata["config"] else {
            throw CheckpointError(
                .missingField, file: file.name, place: "metadata", expected: "the key \"config\"", found: "none")
        }
        config = JSONReader(try JSONParser.parse(Array(text.utf8), file: file.name), file: file.name)
        let name = try config.member("type")
        kind = try name.choice([
            "nn.MultiheadAttention": Kind.multiHead, "nn.Transformer": .transformer, "additive": .additive,
            "memory-network": .memoryNetwork,
        ])
        type = kind.rawValue
    }

    /// Computes the layer.
    ///
    /// - Returns: the results by their names, on the device.
    /// - Throws: ``CheckpointError`` that names the file and the tensor or key which cannot be right; `AttentionError` of the
    ///   device.
    public func run(on device: Device, pass: ForwardPass? = nil) throws -> [String: Tensor] {
        let pass = pass ?? ForwardPass(device)
        do {
            switch kind {
            case .multiHead: return try multiHead(device, pass)
            case .transformer: return try transformer(device, pass)
            case .additive: return try additive(device, pass)
            case .memoryNetwork: return try memoryNetwork(device, pass)
            }
        } catch AttentionError.invalid(let invalid) {
            throw CheckpointError(
                .invalidValue, file: file.name, place: invalid.operand, expected: invalid.expected,
                found: invalid.found)
        }
    }

    /// The largest size and extent: products of two fit 64 bits, and lists of so many numbers fit memory.
    static let largestSize = 1 << 24

    func size(_ key: String, default fallback: Int? = nil) throws(CheckpointError) -> Int {
        try config.integer(key, in: 1...Self.largestSize, default: fallback)
    }
}

/// Rows with or without a batch, which PyTorch has in the second place unless told otherwise.
struct BatchOrder {
    let isBatchFirst: Bool
    let isBatched: Bool

    /// `[batch, length, width]` without gaps, on the device.
    func rows(_ tensor: Tensor, _ device: Device) throws(AttentionError) -> Tensor {
        var rows = tensor
        if !isBatched { rows = try tensor.reshaped([1] + tensor.shape) }
        if isBatched, !isBatchFirst {
            rows = try Tensor(
                bytes: try tensor.permuted([1, 0, 2]).contiguousBytes(),
                shape: [tensor.shape[1], tensor.shape[0], tensor.shape[2]], elementType: tensor.elementType)
        }
        return try device.parameter(rows)
    }

    /// The other way round.
    func restored(_ rows: Tensor) throws(AttentionError) -> Tensor {
        if !isBatched { return try rows.reshaped(Array(rows.shape.dropFirst())) }
        if isBatchFirst { return rows }
        return try Tensor(
            bytes: try rows.permuted([1, 0, 2]).contiguousBytes(),
            shape: [rows.shape[1], rows.shape[0], rows.shape[2]], elementType: rows.elementType)
    }

    /// `[batch, keys]` of one that has no batch if the rows have none.
    func padding(_ mask: Tensor?) throws(AttentionError) -> Tensor? {
        guard let mask, !isBatched, mask.rank == 1 else { return mask }
        return try mask.reshaped([1] + mask.shape)
    }
}
