import Testing

@testable import AttentionCore

/// Masks compose, and the offset is one property of the call.
@Suite struct PositionTests {
    private func zeros(_ shape: [Int]) throws -> Tensor { try BadCallTests.zeros(shape) }

    private func problem(
        rows: Int = 3, keys: Int = 8, past: Int? = nil, lengths: [Int]? = nil, mask: AttentionMask = .none,
        packed: ([Int], [Int])? = nil
    ) throws -> AttentionProblem {
        var inputs = AttentionInputs(
            query: try zeros([1, 1, rows, 2]), key: try zeros([1, 1, keys, 2]), value: try zeros([1, 1, keys, 2]),
            mask: mask)
        if let past {
            inputs.pastKey = try zeros([1, 1, past, 2])
            inputs.pastValue = try zeros([1, 1, past, 2])
        }
        inputs.keyLengths = lengths
        (inputs.cumulativeQueryOffsets, inputs.cumulativeKeyOffsets) = (packed?.0, packed?.1)
        return try AttentionProblem(inputs)
    }

    @Test func theOffsetFollowsTheCache() throws {
        let right = AttentionMask.causal(alignment: .bottomRight)
        #expect(try problem().segments[0].offset == 0)
        #expect(try problem(past: 5).segments[0].offset == 5)
        #expect(try problem(past: 0).segments[0].offset == 0)
        #expect(try problem(lengths: [6]).segments[0].offset == 3)
        #expect(try problem(lengths: [1]).segments[0].offset == -2)
        #expect(try problem(mask: right).segments[0].offset == 5)
        #expect(try problem(past: 5, mask: right).segments[0].offset == 10)
        #expect(try problem(lengths: [6], mask: right).segments[0].offset == 3)
        let sequences = ([0, 1, 3], [0, 5, 8])
        #expect(try problem(packed: sequences).segments.map(\.offset) == [0, 0])
        #expect(try problem(lengths: [4, 2], packed: sequences).segments.map(\.offset) == [0, 0])
        #expect(try problem(mask: right, packed: sequences).segments.map(\.offset) == [4, 1])
        #expect(try problem(lengths: [4, 2], mask: right, packed: sequences).segments.map(\.offset) == [3, 0])
    }

    @Test func segmentsCoverTheCall() throws {
        let segments = try problem(lengths: [4, 2], packed: ([0, 1, 3], [0, 5, 8])).segments
        #expect(segments.map(\.queryStart) == [0, 1] && segments.map(\.queryCount) == [1, 2])
        #expect(segments.map(\.keyStart) == [0, 5] && segments.map(\.keyCapacity) == [5, 3])
        #expect(segments.map(\.keyCount) == [4, 2])
    }

    /// The range of keys is what deciding pair by pair gives.
    @Test func rangesAreTheWordsOfTheContract() throws {
        for lengths in [nil, [0], [2], [8]] as [[Int]?] {
            for isCausal in [false, true] {
                for alignment in [AttentionMask.Alignment.topLeft, .bottomRight] {
                    for (left, right) in [(nil, nil), (0, nil), (2, 0), (nil, 1), (Int.max, Int.max)] as [(Int?, Int?)]
                    {
                        var mask = AttentionMask.window(left: left, right: right, alignment: alignment)
                        mask.isCausal = isCausal
                        let problem = try problem(rows: 12, lengths: lengths, mask: mask)
                        let segment = problem.segments[0]
                        for i in 0..<12 {
                            let p = i + segment.offset
                            let attended = (0..<segment.keyCount).filter { j in
                                !(isCausal && j > p) && !(left.map { $0 != .max && j < p - $0 } ?? false)
                                    && !(right.map { $0 != .max && j > p + $0 } ?? false)
                            }
                            #expect(Array(problem.keyRange(segment, row: i)) == attended)
                        }
                    }
                }
            }
        }
    }

    @Test func masksCompose() throws {
        let tensor = try zeros([3, 8])
        let mask: AttentionMask = [
            .causal, .window(left: 4), .tensor(tensor), .window(right: 2, alignment: .bottomRight),
        ]
        #expect(mask.isCausal && mask.windowLeft == 4 && mask.windowRight == 2 && mask.alignment == .bottomRight)
        #expect(mask.tensor != nil)
        let narrower: AttentionMask = [.window(left: 4), .window(left: 1)]
        #expect(narrower.windowLeft == 1 && !narrower.isCausal && narrower.tensor == nil)
    }

    @Test func masksBroadcast() throws {
        #expect(try problem(mask: .tensor(zeros([]))).maskKeys == 8)
        #expect(try problem(mask: .tensor(zeros([8]))).maskKeys == 8)
        let short = try problem(mask: .tensor(zeros([3, 5])))
        #expect(short.maskKeys == 5 && short.mask?.row == 5 && short.mask?.head == 0)
        #expect(try problem(mask: .tensor(zeros([3, 1]))).maskKeys == 1)
        #expect(try problem(mask: .tensor(zeros([1, 8]))).mask?.row == 0)
        #expect(try problem(mask: .tensor(zeros([3, 0]))).maskKeys == 0)
    }

    /// A batch without rows has no segments to list, however many entries it claims.
    @Test func emptyCallsOfHugeBatches() throws {
        let huge = 1 << 50
        let empty = try zeros([0]).viewed(shape: [huge, 0, 3, 2], strides: [0, 0, 0, 1])
        let inputs = AttentionInputs(query: empty, key: empty, value: empty)
        #expect(try AttentionProblem(inputs).isEmpty)
    }
}
