import Attention
import Testing

@Suite struct PagedKeyValueCacheTests {
    /// The same steps on a cache in one piece and on one in blocks: growing, truncating and appending in any order.
    @Test(arguments: [1, 4, 16, 128], [ElementType.float32, .bfloat16])
    func bitsAreThoseOfOnePiece(blockSize: Int, type: ElementType) throws {
        for device in KeyValueCacheTests.devices {
            let whole = try KeyValueCache(
                device: device, sequences: 3, keyValueHeads: 2, headDimension: 24, valueDimension: 19,
                elementType: type, capacity: 1)
            let paged = try PagedKeyValueCache(
                device: device, sequences: 3, keyValueHeads: 2, headDimension: 24, valueDimension: 19,
                elementType: type, blockSize: blockSize, blocks: 1)
            // Rows to append to a sequence, or to keep of it where negative.
            let steps = [(0, 5), (2, 33), (0, 40), (2, -7), (1, 1), (2, 300), (0, -0), (1, 16), (0, 70), (2, -129)]
            for (index, (sequence, rows)) in steps.enumerated() {
                if rows > 0 {
                    let key = try numbers([1, 2, rows, 24], index, type)
                    let value = try numbers([1, 2, rows, 19], index + 50, type)
                    try whole.append(key: key, value: value, to: sequence)
                    try paged.append(key: key, value: value, to: sequence)
                } else {
                    try whole.truncate(sequence: sequence, to: -rows)
                    try paged.truncate(sequence: sequence, to: -rows)
                }
                #expect(paged.lengths == whole.lengths)
                for queries in [1, 20] {
                    let query = try numbers([3, 4, queries, 24], index + 90, type)
                    let expected = try device.attend(query: query, cache: whole, mask: .causal).output
                    let found = try device.attend(query: query, cache: paged, mask: .causal, fallback: .never).output
                    #expect(
                        try found.contiguousBytes() == expected.contiguousBytes(),
                        "step \(index), \(queries) queries on \(device.description.name)")
                }
            }
        }
    }

    @Test func everyKernelAndStridedPoolsGiveTheSameBits() throws {
        for device in KeyValueCacheTests.devices where device.description.kind == .cpu {
            let query = try numbers([2, 4, 9, 16], 1)
            // [blocks, rows, heads, dimension] in memory, so that no row of a block touches the next.
            let key = try numbers([7, 8, 2, 16], 2).permuted([0, 2, 1, 3])
            let value = try numbers([7, 8, 2, 16], 3).permuted([0, 2, 1, 3])
            let rows = [[6, 0, 3], [3, 5]], lengths = [21, 16]
            var paged = AttentionInputs(query: query, key: key, value: value, mask: .causal)
            paged.keyLengths = lengths
            paged.blockTable = BlockTable(rows, columns: 5)
            func gathered(_ pool: Tensor) throws -> Tensor {
                let all = try Tensor(zeros: [2, 2, 24, 16], elementType: .float32)
                for (entry, row) in rows.enumerated() {
                    for (index, block) in row.enumerated() {
                        try all.sliced(axis: 0, entry..<entry + 1).sliced(axis: 2, index * 8..<index * 8 + 8)
                            .writeBytes(of: pool.sliced(axis: 0, block..<block + 1))
                    }
                }
                return all
            }
            var whole = AttentionInputs(
                query: query, key: try gathered(key), value: try gathered(value), mask: .causal)
            whole.keyLengths = lengths
            for kernel in ["staged", "flash_wide", "decode_wide"] {
                let policy = PlanPolicy(kernel: kernel)
                let expected = try device.attend(whole, policy: policy, fallback: .never).output
                let found = try device.attend(paged, policy: policy, fallback: .never).output
                #expect(try found.contiguousBytes() == expected.contiguousBytes(), "\(kernel)")
            }
        }
    }

    @Test func blocksAreFreedAndTakenAgain() throws {
        let cache = try PagedKeyValueCache(
            device: .reference, sequences: 2, keyValueHeads: 1, headDimension: 2, blockSize: 4, blocks: 3)
        let rows = try numbers([1, 1, 9, 2], 1)
        try cache.append(key: rows, value: rows, to: 0)
        #expect(cache.blocks == (3, 0))
        try cache.truncate(sequence: 0, to: 4)
        #expect(cache.blocks == (3, 2))
        try cache.append(key: rows.sliced(axis: 2, 0..<8), value: rows.sliced(axis: 2, 0..<8), to: 1)
        #expect(cache.blocks == (3, 0))
        try cache.append(key: rows.sliced(axis: 2, 0..<1), value: rows.sliced(axis: 2, 0..<1), to: 0)
        #expect(cache.blocks == (6, 2))
        cache.removeAll()
        #expect(cache.blocks == (6, 6))
        #expect(cache.lengths == [0, 0])
        let query = try numbers([2, 1, 1, 2], 2)
        #expect(try Device.reference.attend(query: query, cache: cache).output.floats() == [0, 0, 0, 0])
    }

    @Test func aPlanServesManySteps() throws {
        for device in KeyValueCacheTests.devices {
            let cache = try PagedKeyValueCache(
                device: device, sequences: 1, keyValueHeads: 2, headDimension: 8, blockSize: 16)
            let query = try numbers([1, 2, 1, 8], 1)
            let plan = try device.attentionPlan(for: cache.inputs(for: query, mask: .none))
            for step in 1...16 {
                let row = try numbers([1, 2, 1, 8], step)
                try cache.append(key: row, value: row)
                let expected = try device.attend(query: query, cache: cache).output
                #expect(try plan.forward(query: query, cache: cache).contiguousBytes() == expected.contiguousBytes())
            }
            let row = try numbers([1, 2, 17, 8], 17)
            try cache.append(key: row, value: row)
            #expect(throws: AttentionError.self) { try plan.forward(query: query, cache: cache) }
        }
    }

    @Test func misuseThrowsAndChangesNothing() throws {
        for size in [0, 3, -4, 48] {
            #expect(throws: AttentionError.self) {
                try PagedKeyValueCache(
                    device: .reference, sequences: 1, keyValueHeads: 1, headDimension: 4, blockSize: size)
            }
        }
        let cache = try PagedKeyValueCache(device: .reference, sequences: 1, keyValueHeads: 2, headDimension: 4)
        let good = try numbers([1, 2, 3, 4], 1)
        try cache.append(key: good, value: good)
        let bad: [(Tensor, Tensor)] = [
            (try numbers([1, 2, 3, 5], 1), good), (good, try numbers([1, 2, 2, 4], 1)),
            (try numbers([1, 2, 3, 4], 1, .float16), good), (try numbers([2, 3, 4], 1), good),
        ]
        for (key, value) in bad { #expect(throws: AttentionError.self) { try cache.append(key: key, value: value) } }
        #expect(throws: AttentionError.self) { try cache.append(key: good, value: good, to: 1) }
        #expect(throws: AttentionError.self) { try cache.truncate(sequence: 0, to: 4) }
        #expect(throws: AttentionError.self) { try cache.truncate(sequence: 0, to: -1) }
        #expect(cache.lengths == [3])
    }
}
