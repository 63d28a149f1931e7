import AttentionCore

/// One sweep of the staged kernels over a list of segments.
struct StagedPass {
    let segments: [Segment]
    let scratch: StagedScratch
    /// Compute `scale·q·k`.
    let computesScores: Bool
    /// Write the scores that the caller asked for.
    let writesScores: Bool
    /// Go on to softmax.
    let computesWeights: Bool
    /// Go on to the weighted sum.
    let computesOutput: Bool
    /// Excluded pairs are computed too.
    let allPairs: Bool

    /// The passes that `problem` takes.
    ///
    /// Packed sequences meet only in the scores that a caller asks for, and there a pass of its own covers the pairs of queries
    /// and keys of different sequences: all queries against the keys of each sequence.
    static func passes(
        _ problem: AttentionProblem, _ tiles: StagedTiles, limit: Int, onlyScores: Bool = false
    ) -> [StagedPass] {
        let showsExcluded = problem.scores == .scaled || problem.scores == .softCapped
        let own = StagedPass(
            problem.segments, problem, tiles, limit, computesScores: true,
            writesScores: problem.scores != nil && !(problem.isPacked && showsExcluded), computesOutput: !onlyScores,
            allPairs: showsExcluded && !problem.isPacked)
        guard problem.isPacked, problem.scores != nil else { return [own] }
        let everyRow = Segment(
            batch: 0, queryStart: 0, queryCount: problem.shape.queryLength, keyStart: 0,
            keyCapacity: problem.shape.keyLength, keyCount: 0, offset: 0)
        guard showsExcluded else {
            // No key counts: the excluded value everywhere, before each sequence writes its own pairs.
            let fill = StagedPass(
                [everyRow], problem, tiles, limit, computesScores: false, writesScores: true, computesOutput: false,
                allPairs: false)
            return [fill, own]
        }
        let pairs = problem.segments.map { segment in
            var all = segment
            all.queryStart = 0
            all.queryCount = problem.shape.queryLength
            return all
        }
        let shown = StagedPass(
            pairs, problem, tiles, limit, computesScores: true, writesScores: true, computesOutput: false,
            allPairs: true)
        return onlyScores ? [shown] : [shown, own]
    }

    private init(
        _ segments: [Segment], _ problem: AttentionProblem, _ tiles: StagedTiles, _ limit: Int, computesScores: Bool,
        writesScores: Bool, computesOutput: Bool, allPairs: Bool
    ) {
        self.segments = segments
        self.computesScores = computesScores
        self.writesScores = writesScores
        self.computesOutput = computesOutput
        computesWeights = computesOutput || (computesScores && writesScores && problem.scores == .probabilities)
        self.allPairs = allPairs
        scratch = StagedScratch(segments: segments, heads: problem.shape.queryHeads, tiles, limit: limit)
    }
}
