import Attention

/// The times of one shape, and what the machine does at best, measured in turns on the same cores.
struct BenchMeasurement {
    let medianSeconds: Double
    let smallestSeconds: Double
    /// The best kind of loop by its median, in GFLOP/s and GB/s, and which it was.
    let peak: (rate: Double, kind: String)
    let stream: (rate: Double, kind: String)

    /// - Parameters:
    ///   - rounds: how often everything takes its turn.
    ///   - call: one call, finished when it returns; takes the number of the call.
    init(rounds: Int, loops: [any PeakLoops], call: (Int) throws -> Void) throws {
        // A sample lasts 5 ms at least, so that the clock and a single interruption weigh little.
        var count = 0
        let first = try Self.seconds { try call(count) }
        count += 1
        let calls = max(1, min(1000, Int((0.005 / max(first, 1e-7)).rounded(.up))))
        var times: [Double] = []
        var peaks = Rates(loops, \.multiplyAddKinds) { try $0.multiplyAdd(kind: $1) }
        var streams = Rates(loops, \.readKinds) { try $0.read(kind: $1) }
        for _ in 0..<rounds {
            let start = count
            let sample = try Self.seconds { for index in start..<start + calls { try call(index) } }
            count += calls
            times.append(sample / Double(calls))
            try peaks.takeTurn()
            try streams.takeTurn()
        }
        medianSeconds = Self.median(times)
        smallestSeconds = times.min() ?? 0
        peak = peaks.best
        stream = streams.best
    }

    private static func seconds(_ body: () throws -> Void) rethrows -> Double {
        let duration = try ContinuousClock().measure(body).components
        return Double(duration.seconds) + Double(duration.attoseconds) * 1e-18
    }

    static func median(_ values: [Double]) -> Double {
        guard !values.isEmpty else { return 0 }
        let sorted = values.sorted()
        let middle = sorted.count / 2
        return sorted.count.isMultiple(of: 2) ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
    }
}

/// Rates of several kinds of loop. All are tried for three turns; then the two best go on.
private struct Rates {
    private struct Kind {
        let loops: any PeakLoops
        let index: Int
        let name: String
        var rates: [Double] = []
        var median: Double { BenchMeasurement.median(rates) }
    }

    private var kinds: [Kind]
    private var turns = 0
    private let measure: (any PeakLoops, Int) throws -> Double

    init(
        _ loops: [any PeakLoops], _ names: (any PeakLoops) -> [String],
        _ measure: @escaping (any PeakLoops, Int) throws -> Double
    ) {
        kinds = loops.flatMap { loop in
            names(loop).enumerated().map { Kind(loops: loop, index: $0.offset, name: "\(loop.place), \($0.element)") }
        }
        self.measure = measure
    }

    mutating func takeTurn() throws {
        for index in kinds.indices { kinds[index].rates.append(try measure(kinds[index].loops, kinds[index].index)) }
        turns += 1
        if turns == 3 { kinds = Array(kinds.sorted { $0.median > $1.median }.prefix(2)) }
    }

    var best: (rate: Double, kind: String) {
        kinds.max { $0.median < $1.median }.map { ($0.median, $0.name) } ?? (0, "none")
    }
}
