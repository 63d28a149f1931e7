import KernelCalls
import Testing

@testable import Attention

/// The search itself, on costs that are known.
struct TileSearchTests {
    private let space = TileSpace([
        TileSpace.Size("A", [1, 2, 4, 8]), TileSpace.Size("B", [1, 2, 4, 8]), TileSpace.Size("C", [1]),
    ])

    private func distance(_ sizes: [String: Int], _ a: Int, _ b: Int) -> Double {
        Double(abs((sizes["A"] ?? 0) - a) + abs((sizes["B"] ?? 0) - b))
    }

    @Test(arguments: [(1, 1), (8, 8), (4, 1), (2, 8)])
    func itComesToTheCheapest(a: Int, b: Int) {
        var search = TileSearch(space)
        let start = ["A": 2, "B": 4, "C": 1]
        let best = search.run(from: start, distance(start, a, b), shouldStop: { false }) { sizes, _ in
            distance(sizes, a, b)
        }
        #expect(best.sizes == ["A": a, "B": b, "C": 1])
        #expect(best.cost == 0)
    }

    @Test func nothingIsLookedAtTwice() {
        var search = TileSearch(space)
        var looked: [[String: Int]] = []
        _ = search.run(from: ["A": 2, "B": 2, "C": 1], 10, shouldStop: { false }) { sizes, lowest in
            looked.append(sizes)
            #expect(lowest <= 10)
            return distance(sizes, 8, 8)
        }
        #expect(Set(looked).count == looked.count)
        #expect(!looked.contains(["A": 2, "B": 2, "C": 1]))
    }

    @Test func whatIsNotPossibleIsNoWay() {
        var search = TileSearch(space)
        let best = search.run(from: ["A": 2, "B": 2, "C": 1], 12, shouldStop: { false }) { sizes, _ -> Double? in
            sizes["A"] == 4 ? nil : distance(sizes, 8, 8)
        }
        #expect(best.sizes["A"] == 2 && best.sizes["B"] == 8)
    }

    @Test func itStopsWithTheBestSoFar() {
        var search = TileSearch(space)
        var left = 1
        let best = search.run(from: ["A": 2, "B": 2, "C": 1], 12, shouldStop: { left == 0 }) { sizes, _ in
            left -= 1
            return distance(sizes, 8, 8)
        }
        #expect(best.sizes == ["A": 4, "B": 2, "C": 1])
    }

    @Test func errorsEndIt() {
        struct Broken: Error {}
        var search = TileSearch(space)
        #expect(throws: Broken.self) {
            _ = try search.run(from: ["A": 2, "B": 2, "C": 1], 12, shouldStop: { false }) { _, _ in throw Broken() }
        }
    }
}
