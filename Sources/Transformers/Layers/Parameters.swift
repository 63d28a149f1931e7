public import Attention

/// The name of a parameter, as PyTorch has it, and its shape.
public struct ParameterShape: Hashable, Sendable {
    public let name: String
    public let shape: [Int]

    public init(_ name: String, _ shape: [Int]) {
        self.name = name
        self.shape = shape
    }
}

extension [ParameterShape] {
    /// The parameters of a part that the whole calls `name`.
    public func within(_ name: String) -> [ParameterShape] { map { ParameterShape("\(name).\($0.name)", $0.shape) } }
}

/// Where layers take their parameters from: a checkpoint, the tensors of a layer file, random numbers.
public protocol ParameterSource: Sendable {
    /// A parameter in host memory, of `float32`, `float16` or `bfloat16`.
    ///
    /// - Throws: a typed error if there is none, or one of another shape or type.
    func tensor(_ name: String, shape: [Int]) throws -> Tensor
}

/// Parameters under a common prefix, for the layers that they are for.
public struct Parameters: Sendable {
    public let source: any ParameterSource
    /// What stands before each name: empty, or `encoder.layers.0.` and so on.
    public let prefix: String

    public init(_ source: any ParameterSource, prefix: String = "") {
        self.source = source
        self.prefix = prefix
    }

    /// Those of the part called `name`.
    public subscript(name: String) -> Parameters { Parameters(source, prefix: "\(prefix)\(name).") }

    /// The parameter called `name`, as it is stored.
    public func tensor(_ name: String, _ shape: [Int]) throws -> Tensor {
        let tensor = try source.tensor(prefix + name, shape: shape)
        guard tensor.shape == shape else {
            throw AttentionError.invalid(prefix + name, .shape, expected: "\(shape)", found: "\(tensor.shape)")
        }
        guard [.float32, .float16, .bfloat16].contains(tensor.elementType) else {
            throw AttentionError.invalid(
                prefix + name, .elementType, expected: "f32, f16 or bf16", found: "\(tensor.elementType)")
        }
        return tensor
    }

    /// The parameter called `name` as `float32`: biases and the like, which are few.
    public func vector(_ name: String, _ shape: [Int]) throws -> Tensor {
        try tensor(name, shape).converted(to: .float32)
    }
}

/// Parameters in memory, by their names.
public struct ParameterTable: ParameterSource {
    public let tensors: [String: Tensor]

    public init(_ tensors: [String: Tensor]) { self.tensors = tensors }

    public func tensor(_ name: String, shape: [Int]) throws -> Tensor {
        guard let tensor = tensors[name] else {
            throw AttentionError.invalid(name, .combination, expected: "a parameter of shape \(shape)", found: "none")
        }
        guard tensor.shape == shape else {
            throw AttentionError.invalid(name, .shape, expected: "\(shape)", found: "\(tensor.shape)")
        }
        return tensor
    }
}

/// Parameters that nobody has trained: for tests, for timings, and to begin with.
///
/// Matrices are uniform within `±√(6 / (rows + columns))` (Glorot and Bengio 2010), as nn.Transformer begins; the weights of
/// normalisations are 1 and biases 0. The same seed and name give the same numbers.
public struct RandomParameters: ParameterSource {
    public let seed: UInt64
    /// The most that biases, and the weights of normalisations besides 1, may be: 0, or more to have tests see them.
    public let spread: Double

    public init(seed: UInt64 = 0, spread: Double = 0) {
        self.seed = seed
        self.spread = spread
    }

    public func tensor(_ name: String, shape: [Int]) throws -> Tensor {
        var state = name.utf8.reduce(seed ^ 0x9E37_79B9_7F4A_7C15) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
        let isMatrix = shape.count > 1
        let center = isMatrix || name.hasSuffix("bias") ? 0.0 : 1
        let bound = isMatrix ? (6 / shape.reduce(0) { $0 + Double($1) }).squareRoot() : spread
        return try Tensor.filled(shape) { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let mixed = (state ^ state >> 29) &* 0xBF58_476D_1CE4_E5B9
            let unit = Double(mixed >> 11) * 0x1p-53
            return Float(center + bound * (2 * unit - 1))
        }
    }
}

extension Tensor {
    /// A tensor in host memory whose element `i`, in row-major order, is `value(i)`.
    ///
    /// - Throws: `AttentionError`: `invalid` for a shape beyond 64 bits, `outOfMemory`.
    static func filled(_ shape: [Int], _ value: (Int) -> Float) throws(AttentionError) -> Tensor {
        let tensor = try Tensor(uninitialized: shape)
        guard tensor.count > 0, let base = tensor.storage.hostBytes?.baseAddress else { return tensor }
        let numbers = base.bindMemory(to: Float.self, capacity: tensor.count)
        for index in 0..<tensor.count { numbers[index] = value(index) }
        withExtendedLifetime(tensor) {}
        return tensor
    }

    /// The same numbers, each rounded once, in host memory; itself if it has that type already.
    func converted(to type: ElementType) throws(AttentionError) -> Tensor {
        if elementType == type { return self }
        let host = try onHost()
        let result = try Tensor(uninitialized: shape, type)
        host.withHostBytes { source in
            guard count > 0, let from = source.baseAddress, let to = result.storage.hostBytes?.baseAddress else {
                return
            }
            if host.layout.isContiguous {
                let start = host.layout.offset
                for index in 0..<count { type.store(host.elementType.load(from, start + index), to, index) }
            } else {
                var index = 0
                host.layout.forEachIndex {
                    type.store(host.elementType.load(from, $0), to, index)
                    index += 1
                }
            }
        }
        withExtendedLifetime(result) {}
        return result
    }
}
