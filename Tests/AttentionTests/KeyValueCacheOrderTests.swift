import Attention
import Testing

/// Caches whose sequences change places, as those of beam search do.
@Suite struct KeyValueCacheOrderTests {
    private func cache(_ device: Device, staysOnDevice: Bool) throws -> (KeyValueCache, key: Tensor) {
        let cache = try KeyValueCache(
            device: device, sequences: 3, keyValueHeads: 2, headDimension: 4, valueDimension: 3, capacity: 2,
            staysOnDevice: staysOnDevice)
        let key = try numbers([3, 2, 5, 4], 1), value = try numbers([3, 2, 5, 3], 2)
        for row in 0..<5 {
            try cache.append(key: key.sliced(axis: 2, row..<row + 1), value: value.sliced(axis: 2, row..<row + 1))
        }
        return (cache, key)
    }

    private func rows(_ cache: KeyValueCache, _ sequence: Int) throws -> [UInt8] {
        let (key, _, lengths) = cache.contents()
        return try key.sliced(axis: 0, sequence..<sequence + 1).sliced(axis: 2, 0..<lengths[sequence]).contiguousBytes()
    }

    @Test(arguments: [false, true]) func orders(staysOnDevice: Bool) throws {
        let (cache, key) = try cache(.reference, staysOnDevice: staysOnDevice)
        func expected(_ sequence: Int) throws -> [UInt8] {
            try key.sliced(axis: 0, sequence..<sequence + 1).contiguousBytes()
        }
        #expect(cache.lengths == [5, 5, 5] && cache.capacity == 8)
        let before = cache.contents().key.storage
        try cache.reorder([0, 1, 2])
        #expect(cache.contents().key.storage === before)
        try cache.reorder([2, 0, 0])
        for (place, sequence) in [2, 0, 0].enumerated() { #expect(try rows(cache, place) == expected(sequence)) }
        // Back in the memory that the first reordering left behind.
        try cache.reorder([1, 1, 0])
        #expect(cache.contents().key.storage === before)
        for (place, sequence) in [0, 0, 2].enumerated() { #expect(try rows(cache, place) == expected(sequence)) }
        let chosen = try cache.selecting([2, 2, 1, 0])
        #expect(chosen.lengths == [5, 5, 5, 5])
        for (place, sequence) in [2, 2, 0, 0].enumerated() { #expect(try rows(chosen, place) == expected(sequence)) }
        // Appended rows go to each its own.
        try chosen.append(key: try numbers([4, 2, 1, 4], 3), value: try numbers([4, 2, 1, 3], 4))
        #expect(chosen.lengths == [6, 6, 6, 6] && cache.lengths == [5, 5, 5])
        #expect(try rows(chosen, 0) != rows(chosen, 1))
    }

    /// Sequences of different lengths take their lengths along.
    @Test(arguments: [false, true]) func lengthsFollow(staysOnDevice: Bool) throws {
        let (cache, _) = try cache(.reference, staysOnDevice: staysOnDevice)
        try cache.truncate(sequence: 1, to: 2)
        let short = try rows(cache, 1)
        try cache.reorder([1, 2, 1])
        #expect(cache.lengths == [2, 5, 2])
        #expect(try rows(cache, 0) == short && rows(cache, 2) == short)
        try cache.append(key: try numbers([3, 2, 2, 4], 3), value: try numbers([3, 2, 2, 3], 4))
        #expect(cache.lengths == [4, 7, 4])
        #expect(try rows(cache, 0) != rows(cache, 2))
    }

    @Test func badEntries() throws {
        let (cache, _) = try cache(.reference, staysOnDevice: true)
        for entries in [[0, 1], [0, 1, 3], [0, -1, 2], [], [0, 1, 2, 0]] {
            #expect(throws: AttentionError.self) { try cache.reorder(entries) }
        }
        for entries in [[], [3], [-1]] { #expect(throws: AttentionError.self) { _ = try cache.selecting(entries) } }
        #expect(cache.lengths == [5, 5, 5])
    }
}
