/// Mistakes that ``FloatAttention`` makes on demand: each has been made by somebody's kernel.
enum Fault: String, CaseIterable {
    case scaleDropped, scaleByValueDimension, softcapDropped, softcapAfterMask, softcapNotScaledBack
    case maskTwice, maskDropped, maskOfRowZero, boolMaskInverted, maskedByFiniteNumber, shortMaskAttended
    case causalOffByOne, causalIgnoresOffset, windowLeftExclusive, windowRightInclusiveTwice
    case alibiSign, alibiOfHeadZero, alibiIgnoresOffset
    case sinkMissing, sinkTwice, sinkOfHeadZero, logSumExpWithoutSink, logSumExpBase2
    case lengthsIgnored, otherSequencesAttended, tailKeyDropped, wrongHead, pastIgnored
    case rescaleDropped, maximumNotSubtracted
    case weightsBFloat, scoresHalf, sumBFloat, exponentialCoarse, columnShift
    case truncated, roundedTwice
    case scoresUnscaled, probabilitiesOfExcluded, presentSwapped, emptyRowMean, nanDropped
}
