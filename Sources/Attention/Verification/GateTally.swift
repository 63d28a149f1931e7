import AttentionCore

/// Holds results to the gates of SEMANTICS.md and keeps the worst of each.
struct GateTally {
    var findings: [Judgement] = []
    /// The largest error of each gate as a share of what it allows.
    var ratios: [String: Double] = [:]

    mutating func judge(
        _ tensor: String, _ values: [Double], _ expected: [Expected], _ type: ElementType, gates: (String, String?)
    ) {
        guard values.count == expected.count else {
            findings.append(
                Judgement(
                    tensor: tensor, gate: "G0", ratio: .infinity,
                    detail: "\(values.count) values, not \(expected.count)"))
            return
        }
        var worst: [String: (ratio: Double, detail: String)] = [:]
        func take(_ gate: String, _ ratio: Double, _ index: Int) {
            guard ratio > worst[gate]?.ratio ?? -1 else { return }
            worst[gate] = (ratio, "element \(index) is \(values[index]), expected \(expected[index].value)")
        }
        for (index, want) in expected.enumerated() where !want.isFree {
            let (have, rounded) = (values[index], type.rounded(want.value))
            guard Self.kind(have, tensor) == Self.kind(rounded, tensor) else {
                take("G0", .infinity, index)
                continue
            }
            guard rounded.isFinite else { continue }
            let error = abs(have - want.value)
            let excess = max(0, error - Self.rounding(want.value, type))
            if want.isExact { take("E", have == rounded ? 0 : .infinity, index) }
            take(gates.0, excess == 0 ? 0 : excess / want.det, index)
            if let second = gates.1 { take(second, excess == 0 ? 0 : excess / (2 * want.acc), index) }
        }
        for (gate, found) in worst.sorted(by: { $0.key < $1.key }) { note(tensor, gate, found.ratio, found.detail) }
    }

    /// Gate G4: the root mean square of error over `acc`.
    mutating func judgeSpread(_ values: [Double], _ expected: [Expected]) {
        var (sum, count) = (0.0, 0)
        for (have, want) in zip(values, expected) where !want.isFree && want.value.isFinite && have.isFinite {
            let error = abs(have - want.value)
            let share = error == 0 ? 0 : error / want.acc
            sum += share * share
            count += 1
        }
        guard count >= 64 else { return }
        let spread = (sum / Double(count)).squareRoot()
        note("output", "G4", spread / 0.25, "RMS of error/acc is \(spread)")
    }

    /// Gate G3: how many are the correctly rounded reference.
    mutating func judgeRounding(_ values: [Double], _ expected: [Expected], _ type: ElementType) {
        var (wrong, count) = (0, 0)
        for (have, want) in zip(values, expected) where !want.isFree && want.value.isFinite {
            count += 1
            if have != type.rounded(want.value) { wrong += 1 }
        }
        // A hundredth of few elements is less than one, and some land next to a tie by chance: three are always allowed.
        let share = Double(wrong) / max(0.01 * Double(count), 3)
        note("output", "G3", share, "\(wrong) of \(count) are not the rounded reference")
    }

    private mutating func note(_ tensor: String, _ gate: String, _ ratio: Double, _ detail: String) {
        if ratio > 1 || ratio.isNaN {
            findings.append(Judgement(tensor: tensor, gate: gate, ratio: ratio, detail: detail))
        } else {
            ratios[gate] = max(ratios[gate] ?? 0, ratio)
        }
    }

    /// Finite, NaN, or an infinity of a sign. In the output every infinity counts as NaN.
    private static func kind(_ value: Double, _ tensor: String) -> Int {
        if value.isFinite { return 0 }
        if tensor == "output" || value.isNaN { return 1 }
        return value > 0 ? 2 : 3
    }

    private static func rounding(_ value: Double, _ type: ElementType) -> Double {
        switch type {
        case .float16: 0x1p-11 * abs(value) + 0x1p-25
        case .bfloat16: 0x1p-8 * abs(value) + 0x1p-134
        default: 0
        }
    }
}
