import AttentionCore

/// One sweep of the staged kernels over a list of segments.
public struct StagedPass {
    public let segments: [Segment]
    public let scratch: StagedScratch
    /// Compute `scale·q·k`.
    public let computesScores: Bool
    /// Write the scores that the caller asked for.
    public let writesScores: Bool
    /// Go on to softmax.
    public let computesWeights: Bool
    /// Go on to the weighted sum.
    public let computesOutput: Bool
    /// Excluded pairs are computed too.
    public let allPairs: Bool

    /// The passes that `problem` takes.
    ///
    /// Packed sequences meet only in the scores that a caller asks for, and there a pass of its own covers the pairs of queries
    /// and keys of different sequences: all queries against the keys of each sequence.
    public static func passes(
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

    /// Fills in what the launches of `piece` are told.
    public func prepare(_ problem: inout KernelProblem, _ piece: StagedPiece, _ tiles: StagedTiles) {
        problem.firstSegment = Int32(piece.segments.lowerBound)
        problem.firstHead = Int32(piece.heads.lowerBound)
        problem.firstTile = Int32(piece.tiles.lowerBound)
        problem.tiles = Int32(piece.tiles.count)
        problem.keyStride = Int32(scratch.keyStride)
        problem.allPairs = allPairs ? 1 : 0
        problem.blockKeys = Int32(tiles.blockKeys(scratch.keyStride))
        problem.keyBlocks = Int32((scratch.keyStride + Int(problem.blockKeys) - 1) / Int(problem.blockKeys))
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
