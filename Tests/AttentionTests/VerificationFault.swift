/// A mistake that a kernel could make. Each has been made by a real one, or is one character away from it.
enum Fault: String, CaseIterable, Sendable {
    // Which pairs are excluded.
    case causalOneTooMany, causalStrict, windowLeftNarrow, windowRightWide, tailKeyDropped, lengthsIgnored
    case shortMaskAttended, oneKeyMaskBroadcast, booleanInverted, finiteMinimumExcluded, maskWithoutHeads
    case bottomRightByCapacity, alignmentIgnored, lengthsOffsetIgnored, pastOffsetIgnored
    case packedKeysShifted, packedLengthsIgnored
    // The score.
    case softcapAfterMask, softcapIgnored, scaleByValueDimension, scaleSignLost, alibiWithoutAbs, alibiWithoutOffset
    case headDimensionTail, maskNotAdded, alibiWrongHead
    // Heads and memory.
    case groupByRemainder, contiguousKeys, valueRowStride, batchStrideOfQuery, pastValueSwapped
    // Softmax and sums.
    case maximumNotSubtracted, sinkMissing, sinkTwice, logSumExpWithoutSink, logSumExpBase2, emptyLogSumExpPositive
    case emptyRowMean, emptyRowNaN, emptyRowUnwritten, emptyRowIgnoresSink, excludedTimesZero, excludedAsMinusInfinity
    case nanValueDropped, plusInfinityClamped
    case probabilitiesHalf, fastExponential, scoresHalf, sumsBFloat, truncatedOutput, lastColumnDropped
    // What is returned.
    case probabilityOfExcluded, maskedScoreFinite, cappedRawScore, rawBeyondLength, presentRounded, presentOrder
    // Memory and bits.
    case writesBehindOutput, writesBeforeOutput, writesGaps, changesKey, lastRowUnwritten, lastHeadUnwritten
    case bitsByRun, bitsByBatch, bitsByRows
}
