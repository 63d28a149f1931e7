/// What an attention call gives, and how it came about.
public struct AttentionResult: Sendable {
    /// `[batch, queryHeads, queryLength, valueDimension]`, laid out and typed as the query was given.
    public var output: Tensor { outputs.output }
    /// `[batch, queryHeads, queryLength]`, `float32`, if it was asked for.
    public var logSumExp: Tensor? { outputs.logSumExp }
    /// `[batch, queryHeads, queryLength, keyLength]`, if they were asked for.
    public var scores: Tensor? { outputs.scores }
    /// Past and new keys, if there were past ones.
    public var presentKey: Tensor? { outputs.presentKey }
    /// Past and new values, if there were past ones.
    public var presentValue: Tensor? { outputs.presentValue }

    /// All of the above.
    public let outputs: AttentionOutputs
    /// The device that computed it.
    public let device: DeviceDescription
    /// Kernel, build and scratch memory. Of an empty problem, which launches nothing, the kernel is `none`.
    public let report: RunReport
    /// The devices that failed on the way or rest since an earlier call, in order. After a fallback, new results live in host memory.
    public let fallbacks: [Fallback]
    /// From the call to the result, in milliseconds.
    public let milliseconds: Double

    init(
        _ outputs: AttentionOutputs, _ device: DeviceDescription, _ report: RunReport, _ fallbacks: [Fallback] = [],
        since start: ContinuousClock.Instant
    ) {
        self.outputs = outputs
        self.device = device
        self.report = report
        self.fallbacks = fallbacks
        milliseconds = (ContinuousClock.now - start) / .milliseconds(1)
    }
}
