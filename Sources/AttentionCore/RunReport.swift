/// What a finished call has to tell.
public struct RunReport: Hashable, Sendable {
    /// How the kernels came to be.
    public enum Build: String, Hashable, Sendable {
        /// Loaded from the program cache, or already in memory.
        case cached
        /// Built from source by the driver.
        case compiled
        /// Part of this program.
        case native
    }

    public var kernel: String
    public var build: Build
    public var scratchBytes: Int
    /// Time on the device in nanoseconds, where it was measured.
    public var kernelNanoseconds: UInt64?
    /// What went otherwise than it should without touching the result: programs that could not be kept, say.
    public var notes: [String]
    /// Devices of a group that failed or rest, whose shares others computed.
    public var failures: [Failure]

    /// A device that could not compute its share.
    public struct Failure: Hashable, Sendable {
        /// The device's name.
        public var device: String
        /// What it failed with, or how long it rests and after what.
        public var reason: String
        /// It was not asked, as it failed in an earlier call.
        public var isResting: Bool

        public init(device: String, reason: String, isResting: Bool = false) {
            self.device = device
            self.reason = reason
            self.isResting = isResting
        }
    }

    public init(
        kernel: String, build: Build, scratchBytes: Int, kernelNanoseconds: UInt64? = nil, notes: [String] = [],
        failures: [Failure] = []
    ) {
        self.kernel = kernel
        self.build = build
        self.scratchBytes = scratchBytes
        self.kernelNanoseconds = kernelNanoseconds
        self.notes = notes
        self.failures = failures
    }
}
