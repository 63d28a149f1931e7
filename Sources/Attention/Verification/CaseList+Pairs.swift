import AttentionCore

/// Chooses cases so that every pair of values of two factors meets in one of them.
///
/// Greedy, after Cohen, Dalal, Fredman and Patton, "The AETG system", IEEE TSE 1997: take a pair that has not met, complete it at
/// random a few dozen times, keep the completion in which most new pairs meet.
struct PairwiseChooser {
    let factors = CaseFactor.all
    /// The most multiplications and additions of a case.
    let costLimit: Int
    /// Ties the values' type to the query's and the mask's, so that few programs are built.
    let hasFewTypes: Bool

    private let starts: [Int]
    private let total: Int
    private let allowed: [Bool]

    init(costLimit: Int, hasFewTypes: Bool) {
        self.costLimit = costLimit
        self.hasFewTypes = hasFewTypes
        var starts: [Int] = []
        var places: [(factor: Int, level: Int)] = []
        for (index, factor) in CaseFactor.all.enumerated() {
            starts.append(places.count)
            for level in factor.levels.indices { places.append((index, level)) }
        }
        self.starts = starts
        total = places.count
        var allowed = [Bool](repeating: false, count: total * total)
        for (i, a) in places.enumerated() {
            for (j, b) in places.enumerated() where a.factor != b.factor {
                let (f, g) = (CaseFactor.all[a.factor], CaseFactor.all[b.factor])
                allowed[i * total + j] = CaseFactor.mayMeet(
                    f.name, f.levels[a.level].name, g.name, g.levels[b.level].name)
            }
        }
        self.allowed = allowed
    }

    /// Specs in which each pair that may meet does so once at least.
    func choose(name: String, _ random: inout SeededGenerator) -> [CaseSpec] {
        var missing = Set<Int>()
        for i in 0..<total { for j in i + 1..<total where allowed[i * total + j] { missing.insert(i * total + j) } }
        var specs: [CaseSpec] = []
        var order = missing.sorted()
        order.shuffle(using: &random)
        for pair in order where missing.contains(pair) {
            var best: [Int]?
            var bestGain = 0
            for attempt in 0..<200 {
                if attempt >= 30 && best != nil { break }
                guard let candidate = complete([pair / total, pair % total], attempt, &random) else { continue }
                let gain = gain(candidate, missing)
                if gain > bestGain { (best, bestGain) = (candidate, gain) }
            }
            guard let best else { continue }
            for i in best.indices { for j in i + 1..<best.count { missing.remove(best[i] * total + best[j]) } }
            var spec = makeSpec(best, &random)
            spec.name = name
            specs.append(spec)
        }
        return specs
    }

    private func gain(_ candidate: [Int], _ missing: Set<Int>) -> Int {
        var gain = 0
        for i in candidate.indices {
            for j in i + 1..<candidate.count where missing.contains(candidate[i] * total + candidate[j]) { gain += 1 }
        }
        return gain
    }

    /// One level a factor with `fixed` among them, at random; `nil` if that led nowhere.
    private func complete(_ fixed: [Int], _ attempt: Int, _ random: inout SeededGenerator) -> [Int]? {
        var chosen = [Int](repeating: -1, count: factors.count)
        var levels = fixed
        for place in fixed { chosen[factor(of: place)] = place }
        var order = Array(factors.indices)
        order.shuffle(using: &random)
        for factor in order where chosen[factor] < 0 {
            let count = factors[factor].levels.count
            // A third at rest: with everything on at once hardly a key would be left.
            let first = random.below(3) == 0 ? 0 : random.below(count)
            let level = (0..<count).map { starts[factor] + (first + $0) % count }.first { place in
                levels.allSatisfy { allowed[place * total + $0] }
            }
            guard let level else { return nil }
            chosen[factor] = level
            levels.append(level)
        }
        if hasFewTypes { tieValueType(&chosen) }
        guard fixed.allSatisfy({ chosen[factor(of: $0)] == $0 }) else { return nil }
        // Beyond the first attempts a dear case is better than none.
        var probe = random
        return makeSpec(chosen, &probe).cost <= costLimit * (attempt < 100 ? 1 : 100) ? chosen : nil
    }

    private func factor(of place: Int) -> Int { (starts.lastIndex { $0 <= place }) ?? 0 }

    private func tieValueType(_ chosen: inout [Int]) {
        guard let q = factors.firstIndex(where: { $0.name == "queryType" }) else { return }
        let value = CaseList.tiedValueType(chosen[q] - starts[q], mask: chosen[q + 2] - starts[q + 2])
        chosen[q + 1] = starts[q + 1] + value
    }

    private func makeSpec(_ chosen: [Int], _ random: inout SeededGenerator) -> CaseSpec {
        var spec = CaseSpec()
        for (factor, place) in chosen.enumerated() {
            factors[factor].levels[place - starts[factor]].apply(&spec, &random)
        }
        return spec
    }

    // MARK: Counting

    /// How many pairs may meet, and which of them did in `specs`.
    func coverage(of specs: [CaseSpec]) -> (covered: Int, possible: Int, missing: [String]) {
        var met = [Bool](repeating: false, count: total * total)
        for spec in specs {
            let places: [Int] = factors.indices.compactMap { factor in
                let value = factors[factor].value(spec)
                return factors[factor].levels.firstIndex { $0.name == value }.map { starts[factor] + $0 }
            }
            for (index, i) in places.enumerated() { for j in places[(index + 1)...] { met[i * total + j] = true } }
        }
        var (covered, possible) = (0, 0)
        var missing: [String] = []
        for i in 0..<total {
            for j in i + 1..<total where allowed[i * total + j] {
                possible += 1
                if met[i * total + j] { covered += 1 } else { missing.append("\(name(i)) with \(name(j))") }
            }
        }
        return (covered, possible, missing)
    }

    private func name(_ place: Int) -> String {
        let factor = factor(of: place)
        return "\(factors[factor].name) \(factors[factor].levels[place - starts[factor]].name)"
    }
}
