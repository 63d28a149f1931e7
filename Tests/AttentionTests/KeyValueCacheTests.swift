import Attention
import Testing

@Suite struct KeyValueCacheTests {
    /// The reference, and the first OpenCL device of this machine if it has one.
    static let devices: [Device] = [.reference] + ((try? Device.select(.cpu)).map { [$0] } ?? [])

    /// Decoding token by token gives what one causal call over the whole gives.
    @Test(arguments: [ElementType.float32, .float16, .bfloat16]) func stepsEqualOneCall(type: ElementType) throws {
        for device in Self.devices {
            let (heads, length, depth) = (2, 21, 24)
            let query = try numbers([1, 4, length, depth], 1, type)
            let key = try numbers([1, heads, length, depth], 2, type)
            let value = try numbers([1, heads, length, 17], 3, type)
            let whole = try device.attend(
                AttentionInputs(query: query, key: key, value: value, mask: .causal),
                policy: PlanPolicy(kernel: device.description.kind == .reference ? nil : "decode_wide"),
                fallback: .never
            ).output
            let cache = try KeyValueCache(
                device: device, keyValueHeads: heads, headDimension: depth, valueDimension: 17, elementType: type,
                capacity: 4)
            for i in 0..<length {
                // A slice of a longer tensor: rows with strides.
                try cache.append(
                    key: key.sliced(axis: 2, i..<i + 1), value: value.sliced(axis: 2, i..<i + 1))
                let step = try device.attend(query: query.sliced(axis: 2, i..<i + 1), cache: cache, mask: .causal)
                let expected = try whole.sliced(axis: 2, i..<i + 1).contiguousBytes()
                #expect(
                    try step.output.contiguousBytes() == expected, "step \(i) of \(type) on \(device.description.name)")
            }
            #expect(cache.lengths == [length])
            #expect(cache.capacity == 32)
        }
    }

    /// What was there comes back after an append, growth and a reordering, and the same once more.
    @Test(arguments: [false, true]) func goesBackToASnapshot(staysOnDevice: Bool) throws {
        for device in Self.devices {
            let cache = try KeyValueCache(
                device: device, sequences: 3, keyValueHeads: 2, headDimension: 8, capacity: 4,
                staysOnDevice: staysOnDevice)
            func append(_ seed: Int, _ rows: Int) throws {
                try cache.append(
                    key: try numbers([3, 2, rows, 8], seed), value: try numbers([3, 2, rows, 8], seed + 1))
            }
            func seen() throws -> [[UInt8]] {
                let (key, value, lengths) = cache.contents()
                return try [key, value].map { try $0.sliced(axis: 2, 0..<lengths[0]).contiguousBytes() }
            }
            for rows in [1, 9] {
                try append(1, 2)
                try cache.reorder([2, 0, 0])
                let (snapshot, before, lengths) = (cache.snapshot, try seen(), cache.lengths)
                for _ in 0..<2 {
                    try cache.reorder([1, 2, 0])
                    try append(5, rows)
                    #expect(try seen() != before)
                    cache.restore(snapshot)
                    #expect(try seen() == before && cache.lengths == lengths)
                }
            }
        }
    }

    @Test func sequencesOfDifferentLengths() throws {
        for device in Self.devices {
            let cache = try KeyValueCache(
                device: device, sequences: 3, keyValueHeads: 2, headDimension: 8, capacity: 2)
            let key = try numbers([3, 2, 7, 8], 1), value = try numbers([3, 2, 7, 8], 2)
            let lengths = [5, 0, 7]
            for (sequence, length) in lengths.enumerated() {
                try cache.append(
                    key: key.sliced(axis: 0, sequence..<sequence + 1).sliced(axis: 2, 0..<length),
                    value: value.sliced(axis: 0, sequence..<sequence + 1).sliced(axis: 2, 0..<length), to: sequence)
            }
            #expect(cache.lengths == lengths)
            let query = try numbers([3, 2, 1, 8], 3)
            let found = try device.attend(query: query, cache: cache).output
            for (sequence, length) in lengths.enumerated() {
                let rows = 0..<length, entry = sequence..<sequence + 1
                let alone = try device.attend(
                    AttentionInputs(
                        query: query.sliced(axis: 0, entry), key: key.sliced(axis: 0, entry).sliced(axis: 2, rows),
                        value: value.sliced(axis: 0, entry).sliced(axis: 2, rows)))
                #expect(
                    try found.sliced(axis: 0, entry).contiguousBytes() == alone.output.contiguousBytes(),
                    "sequence \(sequence) on \(device.description.name)")
            }
        }
    }

    @Test func truncatedKeysAreForgottenAndReplaced() throws {
        for device in Self.devices {
            let cache = try KeyValueCache(device: device, keyValueHeads: 1, headDimension: 4)
            let key = try numbers([1, 1, 6, 4], 1), value = try numbers([1, 1, 6, 4], 2)
            let wrong = try Tensor([Float](repeating: .nan, count: 12), shape: [1, 1, 3, 4])
            try cache.append(key: key.sliced(axis: 2, 0..<3), value: value.sliced(axis: 2, 0..<3))
            try cache.append(key: wrong, value: wrong)
            try cache.truncate(sequence: 0, to: 3)
            let query = try numbers([1, 1, 1, 4], 3)
            let short = try device.attend(query: query, cache: cache).output.floats()
            #expect(short.allSatisfy { $0.isFinite }, "forgotten keys reached the result")
            try cache.append(key: key.sliced(axis: 2, 3..<6), value: value.sliced(axis: 2, 3..<6))
            let expected = try device.attend(AttentionInputs(query: query, key: key, value: value)).output
            #expect(
                try device.attend(query: query, cache: cache).output.contiguousBytes() == expected.contiguousBytes())
            cache.removeAll()
            #expect(cache.lengths == [0])
            #expect(try device.attend(query: query, cache: cache).output.floats() == [0, 0, 0, 0])
        }
    }

    /// Nothing is copied to be read, and growing leaves old views as they were.
    @Test func viewsAreTheMemoryItself() throws {
        let cache = try KeyValueCache(device: .reference, keyValueHeads: 1, headDimension: 2, capacity: 2)
        let before = cache.contents()
        let rows = try numbers([1, 1, 2, 2], 1)
        try cache.append(key: rows, value: rows)
        #expect(cache.contents().key.storage === before.key.storage)
        #expect(try before.key.floats() == rows.floats())
        try cache.append(key: rows, value: rows)
        #expect(cache.contents().key.storage !== before.key.storage)
        #expect(cache.capacity == 4)
        #expect(try before.key.floats() == rows.floats())
        #expect(try cache.contents().key.sliced(axis: 2, 2..<4).floats() == rows.floats())
        try cache.reserve(9)
        #expect(cache.capacity == 9)
        #expect(try cache.contents().value.sliced(axis: 2, 0..<2).floats() == rows.floats())
    }

    @Test func aPlanServesManySteps() throws {
        for device in Self.devices {
            let cache = try KeyValueCache(device: device, keyValueHeads: 2, headDimension: 8, capacity: 64)
            let contents = cache.contents()
            let query = try numbers([1, 2, 1, 8], 1)
            var inputs = AttentionInputs(query: query, key: contents.key, value: contents.value)
            inputs.keyLengths = [0]
            let plan = try device.attentionPlan(for: inputs)
            for step in 1...5 {
                let row = try numbers([1, 2, 1, 8], step)
                try cache.append(key: row, value: row)
                let planned = try plan.forward(query: query, cache: cache)
                let expected = try device.attend(query: query, cache: cache).output
                #expect(try planned.contiguousBytes() == expected.contiguousBytes())
            }
        }
    }

    @Test func misuseThrowsAndChangesNothing() throws {
        #expect(throws: AttentionError.self) {
            try KeyValueCache(device: .reference, keyValueHeads: 0, headDimension: 4)
        }
        #expect(throws: AttentionError.self) {
            try KeyValueCache(device: .reference, keyValueHeads: 1, headDimension: 4, elementType: .int32)
        }
        #expect(throws: AttentionError.self) {
            try KeyValueCache(device: .reference, keyValueHeads: 1, headDimension: 4, capacity: Int.max / 2)
        }
        let cache = try KeyValueCache(device: .reference, keyValueHeads: 2, headDimension: 4)
        let good = try numbers([1, 2, 3, 4], 1)
        try cache.append(key: good, value: good)
        let bad: [(Tensor, Tensor)] = [
            (try numbers([1, 2, 3, 5], 1), good), (good, try numbers([1, 2, 2, 4], 1)),
            (try numbers([2, 2, 3, 4], 1), try numbers([2, 2, 3, 4], 1)),
            (try numbers([1, 2, 3, 4], 1, .float16), good),
            (try numbers([2, 3, 4], 1), good),
        ]
        for (key, value) in bad { #expect(throws: AttentionError.self) { try cache.append(key: key, value: value) } }
        #expect(throws: AttentionError.self) { try cache.append(key: good, value: good, to: 1) }
        #expect(throws: AttentionError.self) { try cache.truncate(sequence: 0, to: 4) }
        #expect(throws: AttentionError.self) { try cache.truncate(sequence: 0, to: -1) }
        #expect(cache.lengths == [3])
        #expect(try cache.contents().key.sliced(axis: 2, 0..<3).floats() == good.floats())
    }
}

/// Numbers between −1 and 1 that `seed` decides.
func numbers(_ shape: [Int], _ seed: Int, _ type: ElementType = .float32) throws -> Tensor {
    let values = (0..<shape.reduce(1, *)).map { index -> Float in
        let hash = (index &* 2_654_435_761 &+ seed &* 97) % 1009
        return Float(hash) / 504 - 1
    }
    return try Tensor(values, shape: shape, elementType: type)
}
