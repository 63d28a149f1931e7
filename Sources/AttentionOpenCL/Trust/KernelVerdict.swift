import Foundation

/// What a self-test found about one program of a kernel on one device with one driver.
public struct KernelVerdict: Codable, KeptRecord, Hashable, Sendable {
    public enum Outcome: String, Codable, Hashable, Sendable {
        case passed
        /// Wrong results, or an error of the driver.
        case failed
        /// The process that tried it ended, or gave no answer.
        case crashed
        /// Under test in ``KernelVerdict/process``, or that process ended before it could tell.
        case started
    }

    /// The kernel that a plan names: `flash_tiled`.
    public let kernel: String
    public let outcome: Outcome
    /// What was wrong; empty for a kernel that passed.
    public let reason: String
    public let date: Date
    /// Who tried it, while nobody knows how it ends.
    let process: Int32
    /// How often it was tried by processes that may not have survived.
    let attempts: Int

    init(_ kernel: String, _ outcome: Outcome, _ reason: String = "", process: Int32 = 0, attempts: Int = 1) {
        self.kernel = kernel
        self.outcome = outcome
        self.reason = reason
        date = Date(timeIntervalSince1970: Date().timeIntervalSince1970.rounded())
        self.process = process
        self.attempts = attempts
    }

    /// False for what no plan may use.
    public var isTrusted: Bool { outcome == .passed }
}
