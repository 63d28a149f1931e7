import AttentionCore

/// Operands to time: standard normal, from a fixed seed, in host memory and where a backend computes.
package struct TimedOperands: Sendable {
    /// What results are checked with.
    package let host: AttentionInputs
    /// The same in the backend's memory, and further copies of keys and values where one alone would stay in the cache.
    package let resident: [AttentionInputs]

    /// - Parameter backend: Gives memory where it computes.
    package init(
        _ s: AttentionShape, _ type: ElementType, valueType: ElementType? = nil, _ mask: AttentionMask,
        on backend: any Backend
    ) throws(AttentionError) {
        let valueType = valueType ?? type
        var random = SeededGenerator(seed: 1)
        let query = try random.cheapTensor([s.batch, s.queryHeads, s.queryLength, s.headDimension], type)
        let key = try random.cheapTensor([s.batch, s.keyValueHeads, s.keyLength, s.headDimension], type)
        let value = try random.cheapTensor([s.batch, s.keyValueHeads, s.keyLength, s.valueDimension], valueType)
        host = AttentionInputs(query: query, key: key, value: value, mask: mask)
        let bytes = max(key.count * type.byteCount + value.count * valueType.byteCount, 1)
        // Few queries are bound by reading keys and values: from memory.
        let copies = s.queryLength == 1 ? max(1, (4 * Caches.lastLevelBytes + bytes - 1) / bytes) : 1
        let moved = try Self.moved(query, backend)
        var resident: [AttentionInputs] = []
        for _ in 0..<min(copies, 64) {
            resident.append(
                AttentionInputs(
                    query: moved, key: try Self.moved(key, backend), value: try Self.moved(value, backend), mask: mask))
        }
        self.resident = resident
    }

    static func moved(_ tensor: Tensor, _ backend: any Backend) throws(AttentionError) -> Tensor {
        guard let bytes = tensor.storage.hostBytes else { return tensor }
        let storage = try backend.makeStorage(byteCount: bytes.count)
        try storage.upload(UnsafeRawBufferPointer(bytes), at: 0)
        return try Tensor(storage: storage, layout: tensor.layout, elementType: tensor.elementType)
    }
}

extension SeededGenerator {
    /// Elements that are close to normal, and cheap: the sum of twelve uniform draws each.
    mutating func cheapTensor(_ shape: [Int], _ type: ElementType) throws(AttentionError) -> Tensor {
        let tensor = try Tensor(uninitialized: shape, type)
        guard let base = tensor.storage.hostBytes?.baseAddress else { return tensor }
        for index in 0..<tensor.count {
            var sum = 0.0
            for _ in 0..<3 {
                let bits = next()
                for part in 0..<4 { sum += Double((bits >> UInt64(16 * part)) & 0xFFFF) }
            }
            type.store(sum / 65535 - 6, base, index)
        }
        return tensor
    }
}
