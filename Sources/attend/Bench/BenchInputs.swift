import Attention

/// Tensors to time: standard normal, from a fixed seed, in host memory and where the backend computes.
struct BenchInputs {
    /// What the result is checked with.
    let host: AttentionInputs
    /// The same in the backend's memory, and further copies of keys and values where one alone would stay in the cache.
    let resident: [AttentionInputs]

    /// - Parameter make: gives memory where the backend computes.
    init(_ bench: BenchShape, make: (Int) throws(AttentionError) -> any TensorStorage) throws {
        let s = bench.shape
        var random = Normals(seed: 1)
        let query = try random.tensor([s.batch, s.queryHeads, s.queryLength, s.headDimension], bench.type)
        let key = try random.tensor([s.batch, s.keyValueHeads, s.keyLength, s.headDimension], bench.type)
        let value = try random.tensor([s.batch, s.keyValueHeads, s.keyLength, s.valueDimension], bench.type)
        host = AttentionInputs(query: query, key: key, value: value, mask: bench.mask)
        let copies =
            bench.isDecode ? max(1, (4 * Caches.lastLevelBytes + bench.keyValueBytes - 1) / bench.keyValueBytes) : 1
        let moved = try Self.moved(query, make)
        resident = try (0..<min(copies, 64)).map { _ in
            AttentionInputs(
                query: moved, key: try Self.moved(key, make), value: try Self.moved(value, make), mask: bench.mask)
        }
    }

    private static func moved(
        _ tensor: Tensor, _ make: (Int) throws(AttentionError) -> any TensorStorage
    ) throws -> Tensor {
        guard let bytes = tensor.storage.hostBytes else { return tensor }
        let storage = try make(bytes.count)
        try storage.upload(UnsafeRawBufferPointer(bytes), at: 0)
        return try Tensor(storage: storage, layout: tensor.layout, elementType: tensor.elementType)
    }
}

/// Draws that are close to normal and cheap: the sum of twelve uniform ones, from SplitMix64.
private struct Normals {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    private mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    private mutating func normal() -> Double {
        var sum = 0.0
        for _ in 0..<3 {
            let bits = next()
            for part in 0..<4 { sum += Double((bits >> UInt64(16 * part)) & 0xFFFF) }
        }
        return sum / 65535 - 6
    }

    mutating func tensor(_ shape: [Int], _ type: ElementType) throws -> Tensor {
        let tensor = try Tensor(uninitialized: shape, type)
        guard let base = tensor.storage.hostBytes?.baseAddress else { return tensor }
        for index in 0..<tensor.count { type.store(normal(), base, index) }
        return tensor
    }
}
