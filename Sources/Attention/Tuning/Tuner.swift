import AttentionCore
import AttentionOpenCL

/// One search for tiles: see ``Device/tune(_:mask:elementType:valueType:policy:progress:)``.
struct Tuner {
    /// What a candidate has to gain over the untuned plan to be kept: less is within the noise of a shared machine.
    private static let leastGain = 0.02
    /// Slower than the best by this factor, a candidate is given up.
    private static let hopeless = 1.5
    private static let samples = 5

    private let call: TunedCall
    private let policy: PlanPolicy
    private var timed = 0
    private var looked = 0
    private var refused: [String] = []
    private var wasStopped = false

    init(_ backend: OpenCLBackend, _ operands: TimedOperands, _ policy: PlanPolicy) throws(AttentionError) {
        call = try TunedCall(backend, operands, policy.precision)
        var plain = policy
        plain.usesTuning = false
        self.policy = plain
    }

    mutating func run(progress: (TuningProgress) -> Bool) throws(AttentionError) -> TuningResult {
        guard !call.problem.isEmpty else {
            throw .invalid("shape", .shape, expected: "a row to compute", found: "none")
        }
        let untuned = try TunedCandidate(policy, call)
        let before = try sampled(untuned, lowest: .infinity)
        timed = 1
        var best = (candidate: untuned, milliseconds: before)
        // Programs that were timed: other sizes may lead to the same one.
        var known: [[String]: Double] = [untuned.choices: before]
        let starts = try call.backend.tuningStarts(call.problem, policy)
        let most = starts.reduce(0) { $0 + 1 + $1.space.sizes.reduce(0) { $0 + $1.tried.count } }
        func look(_ kernel: String, _ sizes: [String: Int]) -> Bool {
            let text = sizes.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: " ")
            if wasStopped { return false }
            wasStopped = !progress(
                TuningProgress(
                    looked: looked, most: max(most, looked + 1), candidate: "\(kernel) \(text)", before: before,
                    best: best.milliseconds))
            looked += 1
            return !wasStopped
        }
        func cost(_ kernel: String, _ sizes: [String: Int], _ lowest: Double) throws(AttentionError) -> Double? {
            guard look(kernel, sizes) else { return nil }
            guard let candidate = candidate(kernel, sizes) else { return nil }
            if let time = known[candidate.choices] { return time }
            let time = try sampled(candidate, lowest: lowest)
            timed += 1
            known[candidate.choices] = time
            if time < best.milliseconds { best = (candidate, time) }
            return time
        }
        for start in starts {
            let isUntuned = start.kernel == untuned.kernel && start.sizes == untuned.sizes
            let own = isUntuned ? before : try cost(start.kernel, start.sizes, best.milliseconds)
            guard let own else { continue }
            var search = TileSearch(start.space)
            _ = try search.run(from: start.sizes, own, shouldStop: { wasStopped }) {
                (sizes, lowest) throws(AttentionError) in try cost(start.kernel, sizes, lowest)
            }
        }
        return try result(untuned, best.candidate)
    }

    /// The candidate; `nil` if it is not possible, wrong, or more than the device can do.
    private mutating func candidate(_ kernel: String, _ sizes: [String: Int]) -> TunedCandidate? {
        var own = policy
        (own.kernel, own.tiles) = (kernel, sizes)
        do { return try TunedCandidate(own, call) } catch {
            let text = sizes.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: " ")
            refused.append("\(kernel) \(text): \(error)")
            return nil
        }
    }

    /// Milliseconds of a call: the least of some samples, as others' work only adds to it.
    private func sampled(_ candidate: TunedCandidate, lowest: Double) throws(AttentionError) -> Double {
        var least = try candidate.milliseconds(of: 1)
        let count = TunedCandidate.callCount(least)
        for _ in 0..<Self.samples where least < lowest * Self.hopeless {
            least = min(least, try candidate.milliseconds(of: count))
        }
        return least
    }

    /// Times the untuned plan and the best candidate in turns, and keeps the one that wins.
    private func result(_ untuned: TunedCandidate, _ best: TunedCandidate) throws(AttentionError) -> TuningResult {
        let (before, after) = try duel(untuned, best)
        let isFaster = best.choices != untuned.choices && after < before * (1 - Self.leastGain)
        var isKept = false
        if isFaster {
            let tuning = KernelTuning(
                kernel: best.kernel, sizes: best.sizes, shape: "\(call.problem.shape)", before: before, after: after)
            isKept = call.backend.keep(tuning, for: call.problem, policy)
        } else if !wasStopped {
            // A search to the end found nothing: what an earlier one did is no longer so.
            call.backend.forgetTuning(for: call.problem, policy)
        }
        let chosen = isFaster ? best : untuned
        return TuningResult(
            shape: call.problem.shape, kernel: chosen.kernel, sizes: chosen.sizes, untunedKernel: untuned.kernel,
            untunedSizes: untuned.sizes, before: before, after: isFaster ? after : before, timed: timed,
            refused: refused, isPartial: wasStopped, isKept: isKept)
    }

    private func duel(
        _ one: TunedCandidate, _ other: TunedCandidate
    ) throws(AttentionError) -> (Double, Double) {
        let (first, second) = (try one.milliseconds(of: 1), try other.milliseconds(of: 1))
        // Some seconds at most: whoever stopped the search waits for it.
        let rounds = max(3, min(9, Int(4000 / max(first + second, 1))))
        var ones: [Double] = [], others: [Double] = []
        for _ in 0..<rounds {
            ones.append(try one.milliseconds(of: TunedCandidate.callCount(first)))
            others.append(try other.milliseconds(of: TunedCandidate.callCount(second)))
        }
        return (ones.sorted()[rounds / 2], others.sorted()[rounds / 2])
    }
}
