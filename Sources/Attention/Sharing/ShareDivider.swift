/// Divides a call among devices of known speed, so that they end together.
struct ShareDivider {
    /// Shares, by the place of their device.
    struct Shares {
        /// `nil` where one device computes all.
        let axis: CutAxis?
        let parts: [(device: Int, part: ProblemPart, fraction: Double)]
        /// Why this axis.
        let reason: String
        let refusals: [String]
    }

    /// Seconds that a device more costs a call: a thread, and copies of its results.
    static let overhead = 150e-6
    /// A better axis has to be this much better: earlier ones leave more numbers alone.
    private static let tolerance = 1.1
    /// What joining costs, and reading 16-bit operands as 32-bit ones.
    private static let joinCost = 1.15

    let problem: AttentionProblem
    let rule: CutAxis.Rule

    /// - Parameter speeds: Multiply-adds a second of each device.
    func shares(_ speeds: [Double]) -> Shares {
        switch rule {
        case .forced(let axis):
            let equal = [Double](repeating: 1, count: speeds.count)
            switch CutUnits.along(axis, problem, isFine: true) {
            case .success(let units): return shares(units, Self.dealt(units, equal), "as \(CutAxis.variable) asks", [])
            case .failure(let refusal): return whole(0, "a device computes what cannot be cut", [refusal.reason])
            }
        case .best: return best(speeds)
        }
    }

    private func best(_ speeds: [Double]) -> Shares {
        let fastest = speeds.indices.max { speeds[$0] < speeds[$1] } ?? 0
        var refusals: [String] = []
        if speeds.count < 2 { return whole(fastest, "it is the only one that can", []) }
        var found: [(units: CutUnits, dealt: [Range<Int>], time: Double)] = []
        for axis in CutAxis.allCases {
            switch CutUnits.along(axis, problem, isFine: false) {
            case .failure(let refusal): refusals.append(refusal.reason)
            case .success(let units):
                let dealt = Self.dealt(units, speeds)
                let time = Self.time(units, dealt, speeds) * (axis == .keys ? Self.joinCost : 1)
                found.append((units, dealt, time))
            }
        }
        let least = found.map(\.time).min() ?? .infinity
        guard let choice = found.first(where: { $0.time <= least * Self.tolerance }) else {
            return whole(fastest, "the call cannot be cut", refusals)
        }
        for other in found where other.units.axis != choice.units.axis {
            let isEarlier = other.time > least * Self.tolerance
            refusals.append(
                "\(other.units.axis): \(isEarlier ? "its pieces give worse shares" : "\(choice.units.axis) come first")"
            )
        }
        let alone = choice.units.work.reduce(0, +) / speeds[fastest]
        let others = choice.dealt.filter { !$0.isEmpty }.count - 1
        guard others > 0, choice.time + Double(others) * Self.overhead < alone else {
            return whole(fastest, "dividing so small a call, or with so much slower a device, gains no time", refusals)
        }
        return shares(choice.units, choice.dealt, "shares follow the measured speeds", refusals)
    }

    private func whole(_ device: Int, _ reason: String, _ refusals: [String]) -> Shares {
        Shares(axis: nil, parts: [(device, ProblemPart(problem.shape), 1)], reason: reason, refusals: refusals)
    }

    private func shares(_ units: CutUnits, _ dealt: [Range<Int>], _ reason: String, _ refusals: [String]) -> Shares {
        let all = units.work.reduce(0, +)
        let parts = dealt.enumerated().filter { !$1.isEmpty }.map { device, range in
            let bounds = units.bounds[range.lowerBound]..<units.bounds[range.upperBound]
            return (device, ProblemPart(problem.shape, units.axis, bounds), units.work[range].reduce(0, +) / all)
        }
        return Shares(axis: units.axis, parts: parts, reason: reason, refusals: refusals)
    }

    /// Units in order to devices in order, so that the last to end ends as early as can be.
    static func dealt(_ units: CutUnits, _ speeds: [Double]) -> [Range<Int>] {
        let all = units.work.reduce(0, +)
        var (low, high) = (all / speeds.reduce(0, +), all / (speeds.max() ?? 1))
        for _ in 0..<50 where deal(units.work, speeds, within: low) == nil {
            let middle = (low + high) / 2
            if deal(units.work, speeds, within: middle) == nil { low = middle } else { high = middle }
            if high - low <= 1e-9 * high { break }
        }
        return deal(units.work, speeds, within: low) ?? deal(units.work, speeds, within: high * 1.000001) ?? []
    }

    /// What each device can do within `time`; `nil` if that is not all.
    private static func deal(_ work: [Double], _ speeds: [Double], within time: Double) -> [Range<Int>]? {
        var next = 0
        var dealt: [Range<Int>] = []
        for speed in speeds {
            let start = next
            var sum = 0.0
            while next < work.count, sum + work[next] <= time * speed * (1 + 1e-9) {
                sum += work[next]
                next += 1
            }
            dealt.append(start..<next)
        }
        return next == work.count ? dealt : nil
    }

    private static func time(_ units: CutUnits, _ dealt: [Range<Int>], _ speeds: [Double]) -> Double {
        zip(dealt, speeds).map { units.work[$0].reduce(0, +) / $1 }.max() ?? .infinity
    }
}
