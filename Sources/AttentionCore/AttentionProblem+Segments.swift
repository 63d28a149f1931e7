extension AttentionProblem {
    /// A segment a batch entry, or one a packed sequence, with lengths and positions filled in.
    static func segments(
        _ inputs: AttentionInputs, _ shape: AttentionShape, capacities: [Int]?, past: Int, packed: Bool
    ) throws(AttentionError) -> [Segment] {
        // No rows, no segments: the batch of an empty call may be of any size.
        if !packed && inputs.keyLengths == nil && (shape.queryHeads == 0 || shape.queryLength == 0) { return [] }
        var segments =
            packed
            ? try packedSegments(inputs, shape)
            : (0..<shape.batch).map { batch in
                let keys = capacities?[batch] ?? shape.keyLength
                return Segment(
                    batch: batch, queryStart: 0, queryCount: shape.queryLength, keyStart: 0, keyCapacity: keys,
                    keyCount: keys, offset: 0)
            }
        if let lengths = inputs.keyLengths {
            guard lengths.count == segments.count else {
                throw .invalid(
                    "keyLengths", .count,
                    expected: "one for each of \(segments.count) \(packed ? "sequences" : "batch entries")",
                    found: "\(lengths.count)")
            }
            for (index, length) in lengths.enumerated() {
                guard (0...segments[index].keyCapacity).contains(length) else {
                    throw .invalid(
                        "keyLengths", .bounds, expected: "0…\(segments[index].keyCapacity)",
                        found: "\(length) at index \(index)")
                }
                segments[index].keyCount = length
            }
        }
        for index in segments.indices {
            let segment = segments[index]
            if inputs.mask.alignment == .bottomRight {
                segments[index].offset = segment.keyCount - segment.queryCount
            } else if inputs.keyLengths != nil && !packed {
                segments[index].offset = segment.keyCount - segment.queryCount
            } else {
                segments[index].offset = past
            }
        }
        return segments
    }

    private static func packedSegments(
        _ inputs: AttentionInputs, _ shape: AttentionShape
    ) throws(AttentionError) -> [Segment] {
        let names = ["cumulativeQueryOffsets", "cumulativeKeyOffsets"]
        guard let queries = inputs.cumulativeQueryOffsets else {
            throw .invalid(names[0], .combination, expected: "some, as there are \(names[1])", found: "none")
        }
        guard let keys = inputs.cumulativeKeyOffsets else {
            throw .invalid(names[1], .combination, expected: "some, as there are \(names[0])", found: "none")
        }
        guard shape.batch == 1 else {
            throw .invalid("query", .shape, expected: "batch 1 for packed sequences", found: "\(shape.batch)")
        }
        for (name, offsets, total) in [(names[0], queries, shape.queryLength), (names[1], keys, shape.keyLength)] {
            guard offsets.first == 0, offsets.last == total, zip(offsets, offsets.dropFirst()).allSatisfy({ $0 <= $1 })
            else {
                throw .invalid(
                    name, .value, expected: "offsets that ascend from 0 to \(total)", found: "\(brief(offsets))")
            }
        }
        guard queries.count == keys.count else {
            throw .invalid(names[1], .count, expected: "\(queries.count) as \(names[0])", found: "\(keys.count)")
        }
        return (0..<queries.count - 1).map { s in
            let count = keys[s + 1] - keys[s]
            return Segment(
                batch: 0, queryStart: queries[s], queryCount: queries[s + 1] - queries[s], keyStart: keys[s],
                keyCapacity: count, keyCount: count, offset: 0)
        }
    }

    private static func brief(_ values: [Int]) -> String {
        values.count <= 8 ? "\(values)" : "[\(values.prefix(8).map(String.init).joined(separator: ", ")), …]"
    }
}
