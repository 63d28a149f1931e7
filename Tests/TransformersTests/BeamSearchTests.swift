import Testing

@testable import Transformers

/// The bookkeeping of beam search on numbers that are chosen for it.
@Suite struct BeamSearchTests {
    private func extensions(_ pairs: [(Int, Double)]) -> [BeamSearch.Extension] {
        pairs.map { .init(token: $0.0, logProbability: $0.1) }
    }

    @Test func tiesGoToTheLowerTokenThenTheLowerBeam() {
        var search = BeamSearch(width: 2, lengthPenalty: 0, maximumLength: 5, end: 9)
        #expect(search.advance([extensions([(4, -1), (5, -1), (6, -1)])]) == [0, 0])
        #expect(search.open.map(\.tokens) == [[4], [5]])
        // Token 3 of beam 1 comes before token 7 of beam 0; of equal tokens the lower beam comes first.
        let parents = search.advance([extensions([(7, -1), (8, -1)]), extensions([(3, -1), (7, -1)])])
        #expect(parents == [1, 0])
        #expect(search.open.map(\.tokens) == [[5, 3], [4, 7]])
    }

    @Test func endsAreCountedDownToTheLastOpenOne() {
        var search = BeamSearch(width: 2, lengthPenalty: 0, maximumLength: 5, end: 9)
        _ = search.advance([extensions([(1, -1), (9, -2), (2, -3)])])
        #expect(search.ended.map(\.tokens) == [[]])
        #expect(search.open.map(\.tokens) == [[1], [2]])
        #expect(!search.isDone)
        // An end behind the last open one is not taken.
        _ = search.advance([
            extensions([(1, -0.1), (2, -0.2), (9, -0.3)]), extensions([(1, -0.1), (2, -0.2), (9, -0.3)]),
        ])
        #expect(search.open.map(\.tokens) == [[1, 1], [1, 2]])
        #expect(search.ended.count == 1)
        // Two have ended, at −1.5 and −2; the open ones are below both.
        _ = search.advance([extensions([(9, -0.4), (1, -3), (2, -4)]), extensions([(1, -5), (2, -5), (3, -5)])])
        #expect(search.ended.map(\.tokens) == [[1, 1], []])
        #expect(search.isDone)
    }

    /// A hypothesis that is behind may win by its length, as long as there is room for it.
    @Test(arguments: [(3, true), (4, false)]) func lengthsAreBounded(longest: Int, isDone: Bool) {
        var search = BeamSearch(width: 2, lengthPenalty: 1, maximumLength: longest, end: 9)
        _ = search.advance([extensions([(9, -1), (1, -1.1), (2, -3)])])
        _ = search.advance([extensions([(9, -0.1), (1, -2.55), (2, -2.6)]), extensions([(1, -2.55), (2, -2.6)])])
        // −1 and −1.2 / 2 have ended. The best open one stands at −3.65, which is above −1 over a length of 4 alone.
        #expect(search.ended.map(\.tokens) == [[1], []])
        #expect(search.isDone == isDone)
    }

    @Test func negativePenaltiesFavourShortOnes() {
        var search = BeamSearch(width: 1, lengthPenalty: -1, maximumLength: 5, end: 9)
        _ = search.advance([extensions([(9, -1)])])
        #expect(search.isDone)
        #expect(search.ended == [GeneratedSequence(tokens: [], score: -1, isEnded: true)])
    }

    @Test func impossibleTokensDoNotTrap() {
        var search = BeamSearch(width: 2, lengthPenalty: 1, maximumLength: 2, end: 9)
        _ = search.advance([extensions([(1, .nan), (2, -.infinity), (9, .nan)])])
        _ = search.advance(search.open.map { _ in extensions([(9, -.infinity), (3, .nan)]) })
        #expect(search.isDone)
        #expect(search.ended.allSatisfy { $0.score == -.infinity })
    }

    @Test func settledTokensAreThoseOfAllHypotheses() {
        var search = BeamSearch(width: 2, lengthPenalty: 0, maximumLength: 3, end: 9)
        _ = search.advance([extensions([(1, -1), (2, -2), (3, -3)])])
        #expect(search.newlySettled().tokens == [])
        _ = search.advance([extensions([(5, -0.1), (6, -0.2)]), extensions([(5, -3), (6, -3)])])
        #expect(search.newlySettled() == (0, [1]))
        _ = search.advance([extensions([(7, -0.1), (8, -0.2)]), extensions([(5, -3), (6, -3)])])
        #expect(search.isDone)
        #expect(search.newlySettled() == (1, [5, 7]))
    }
}
