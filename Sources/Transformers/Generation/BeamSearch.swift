/// The beam search of one source, on numbers alone.
///
/// Each step extends every open hypothesis by each token and walks down the extensions from the likeliest: one that ends is put
/// aside, others stay open until there are as many as beams. Of equal ones the lower token comes first, then the lower beam.
/// The search is over when as many hypotheses as beams have ended and no open one can reach the score of the last of them, or
/// at the greatest length, where open hypotheses count as they are. With one beam the likeliest extension is taken alone, which
/// is greedy search.
struct BeamSearch {
    struct Hypothesis {
        var tokens: [Int]
        /// Σ log p.
        var sum: Double
    }

    /// A token that may follow a hypothesis.
    struct Extension {
        let token: Int
        let logProbability: Double
    }

    let width: Int
    let lengthPenalty: Double
    let maximumLength: Int
    let end: Int
    /// In the order of their beams.
    private(set) var open = [Hypothesis(tokens: [], sum: 0)]
    /// Best first, `width` at most.
    private(set) var ended: [GeneratedSequence] = []
    private(set) var isDone = false
    /// How many tokens of the result are certain.
    private var settled = 0

    init(width: Int, lengthPenalty: Double, maximumLength: Int, end: Int) {
        (self.width, self.lengthPenalty, self.maximumLength, self.end) = (width, lengthPenalty, maximumLength, end)
    }

    /// How many extensions of a hypothesis have to be known: one of them may be its end.
    static func extensions(width: Int, vocabulary: Int) -> Int { min(width == 1 ? 1 : width + 1, vocabulary) }

    /// - Parameter extensions: for each open hypothesis, its likeliest ones.
    /// - Returns: which of the hypotheses that were open each open one extends.
    mutating func advance(_ extensions: [[Extension]]) -> [Int] {
        struct Candidate {
            let beam: Int
            let token: Int
            let sum: Double
        }
        var candidates: [Candidate] = []
        for (beam, list) in extensions.enumerated() {
            for one in list {
                let sum = open[beam].sum + one.logProbability
                candidates.append(Candidate(beam: beam, token: one.token, sum: sum.isNaN ? -.infinity : sum))
            }
        }
        candidates.sort {
            $0.sum != $1.sum ? $0.sum > $1.sum : ($0.token, $0.beam) < ($1.token, $1.beam)
        }
        if width == 1 { candidates.removeLast(max(candidates.count - 1, 0)) }
        var (next, parents): ([Hypothesis], [Int]) = ([], [])
        for candidate in candidates where next.count < width {
            let before = open[candidate.beam]
            if candidate.token == end {
                add(before.tokens, candidate.sum, length: before.tokens.count + 1, isEnded: true)
            } else {
                next.append(Hypothesis(tokens: before.tokens + [candidate.token], sum: candidate.sum))
                parents.append(candidate.beam)
            }
        }
        open = next
        let length = (open.first?.tokens.count ?? 0)
        if length >= maximumLength {
            for hypothesis in open { add(hypothesis.tokens, hypothesis.sum, length: length, isEnded: false) }
            open = []
        }
        isDone = open.isEmpty || (ended.count == width && !open.contains { canBeat($0) })
        return parents
    }

    /// Tokens of the result that have become certain since the last call, with the place of the first.
    mutating func newlySettled() -> (position: Int, tokens: [Int]) {
        let lists = isDone ? ended.prefix(1).map(\.tokens) : open.map(\.tokens) + ended.map(\.tokens)
        guard let first = lists.first else { return (settled, []) }
        var common = first.count
        for list in lists.dropFirst() { common = min(common, zip(first, list).prefix { $0 == $1 }.count) }
        defer { settled = max(settled, common) }
        return (settled, settled < common ? Array(first[settled..<common]) : [])
    }

    private func score(_ sum: Double, length: Int) -> Double {
        // A length of 0, or −∞ for what cannot be, has no power to be divided by.
        lengthPenalty == 0 || sum == 0 ? sum : sum / power(Double(max(length, 1)), lengthPenalty)
    }

    private mutating func add(_ tokens: [Int], _ sum: Double, length: Int, isEnded: Bool) {
        let sequence = GeneratedSequence(tokens: tokens, score: score(sum, length: length), isEnded: isEnded)
        // Behind those of the same score, which ended before.
        let place = ended.firstIndex { $0.score < sequence.score } ?? ended.count
        ended.insert(sequence, at: place)
        if ended.count > width { ended.removeLast() }
    }

    /// Whether a hypothesis may still end with a better score than the last that counts. Its sum only falls; a positive
    /// exponent favours the greatest length, another the shortest.
    private func canBeat(_ hypothesis: Hypothesis) -> Bool {
        guard let last = ended.last else { return true }
        let length = lengthPenalty > 0 ? maximumLength : hypothesis.tokens.count + 1
        return score(hypothesis.sum, length: length) > last.score
    }
}
