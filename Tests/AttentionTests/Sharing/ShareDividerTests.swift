import Testing

@testable import Attention

/// Who gets how much of a call.
@Suite struct ShareDividerTests {
    private func problem(
        batch: Int = 1, heads: Int = 1, group: Int = 1, queries: Int = 1024, keys: Int = 1024,
        _ mask: AttentionMask = .none, _ options: AttentionOptions = .init()
    ) throws -> AttentionProblem {
        let shape = AttentionShape(
            batch: batch, queryHeads: heads * group, keyValueHeads: heads, queryLength: queries, keyLength: keys,
            headDimension: 64)
        return try AttentionProblem(
            AttentionInputs(
                query: .placeholder(shape.queryShape), key: .placeholder(shape.keyShape),
                value: .placeholder(shape.valueShape), mask: mask), options)
    }

    private func shares(_ problem: AttentionProblem, _ speeds: [Double]) -> ShareDivider.Shares {
        ShareDivider(problem: problem, rule: .best).shares(speeds)
    }

    @Test func sharesFollowTheSpeeds() throws {
        let found = try shares(problem(heads: 8), [3e9, 1e9])
        #expect(found.axis == .heads)
        #expect(found.parts.map(\.part.keyValueHeads) == [0..<6, 6..<8])
        #expect(found.parts.map(\.fraction) == [0.75, 0.25])
        #expect(try shares(problem(heads: 8), [1e9, 3e9]).parts.map(\.part.keyValueHeads) == [0..<2, 2..<8])
        #expect(
            try shares(problem(heads: 9), [1e9, 1e9, 1e9]).parts.map(\.part.keyValueHeads) == [0..<3, 3..<6, 6..<9])
    }

    @Test func axesThatChangeNoNumberComeFirst() throws {
        #expect(try shares(problem(batch: 8, heads: 8), [1e9, 1e9]).axis == .heads)
        #expect(try shares(problem(batch: 8), [1e9, 1e9]).axis == .batch)
        #expect(try shares(problem(), [1e9, 1e9]).axis == .rows)
        let decode = try shares(problem(queries: 1, keys: 1 << 20), [1e9, 1e9])
        #expect(decode.axis == .keys)
        #expect(decode.parts.map(\.part.keys) == [0..<1 << 19, 1 << 19..<1 << 20])
        // Two heads for two devices are not enough where one is three times as fast.
        #expect(try shares(problem(heads: 2, queries: 4096, keys: 4096), [3e9, 1e9]).axis == .rows)
    }

    /// Of a causal call, the last rows have the most keys, and the first keys the most rows.
    @Test func unevenWorkIsWeighed() throws {
        let rows = try shares(problem(queries: 4096, keys: 4096, .causal), [1e9, 1e9])
        #expect(rows.axis == .rows)
        let first = try #require(rows.parts.first).part.rows.count
        #expect((2800...3000).contains(first), "√½ of 4096")
        let lengths = try shares(problem(batch: 3, queries: 64, keys: 4096), [1e9, 1e9])
        #expect(lengths.parts.count == 2)
    }

    @Test func smallCallsAndSlowDevicesAreLeftAlone() throws {
        let small = try shares(problem(heads: 8, queries: 4, keys: 16), [1e9, 2e9])
        #expect(small.axis == nil)
        #expect(small.parts.map(\.device) == [1])
        let slow = try shares(problem(heads: 4), [1e9, 1e6])
        #expect(slow.parts.map(\.device) == [0])
        #expect(try shares(problem(heads: 8), [1e9]).parts.count == 1)
    }

    @Test func whatCannotBeCutSaysWhy() throws {
        let call = try problem(queries: 1, keys: 1 << 16, .none, .init(scores: .masked))
        let found = shares(call, [1e9, 1e9])
        #expect(found.axis == nil)
        #expect(
            found.refusals == [
                "heads: there is one key head", "batch: there is one batch entry", "rows: 1 queries are too few",
                "keys: the call asks for scores, which are about all keys",
            ])
    }

    /// All of a call is dealt, once and in order, whatever the speeds; a device may get nothing.
    @Test(arguments: CutAxis.allCases, [[1.0, 1], [1e-3, 1], [5, 1, 3], [1, 1, 1, 1, 1]])
    func everythingIsDealtOnce(_ axis: CutAxis, _ speeds: [Double]) throws {
        let call = try problem(batch: 3, heads: 7, queries: 130, keys: 515, .causal)
        let units = try CutUnits.along(axis, call, isFine: true).get()
        let dealt = ShareDivider.dealt(units, speeds)
        #expect(dealt.count == speeds.count)
        #expect(dealt.flatMap { Array($0) } == Array(units.work.indices))
        // Nobody could take a unit of another's and end earlier than the last one does now.
        func time(_ ranges: [Range<Int>]) -> Double {
            zip(ranges, speeds).map { units.work[$0].reduce(0, +) / $1 }.max() ?? 0
        }
        let ideal = units.work.reduce(0, +) / speeds.reduce(0, +)
        let largest = (units.work.max() ?? 0) / (speeds.min() ?? 1)
        #expect(time(dealt) <= ideal + largest)
    }
}
